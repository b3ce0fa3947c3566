// SPDX-License-Identifier: Apache-2.0
#include "archive/walk.h"

#include <unordered_set>

#include "core/error.h"
#include "data/photo_files.h"
#include "data/text.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;

class Walker {
 public:
  Walker(const Context& context, Walked& walked) : context_(context), walked_(walked) {}

  void folder(const fs::path& path) {
    if (context_.stop_requested() || !enter(path, entered_, notes_)) return;
    const Listing listing = list_folder(path, false, notes_);
    for (const fs::path& file : listing.files) {
      // What the catalogue knows was a photo once: no need to open it. Sidecars are never photos.
      if (lower_case(file.extension().native()) == ".xmp") continue;
      if (walked_.known.contains(file.native()) || is_photo(file)) photo(file);
    }
    for (const fs::path& child : listing.folders) folder(child);
  }

  void photo(const fs::path& path) {
    if (seen_.insert(path.native()).second) walked_.photos.push_back(path);
  }

  [[nodiscard]] const Notes& notes() const { return notes_; }

 private:
  const Context& context_;
  Walked& walked_;
  Entered entered_;
  Notes notes_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Result<Walked> walk(const Context& context, const std::vector<fs::path>& paths, Catalog* catalog,
                    const std::function<void(std::string_view)>& note) {
  Walked walked;
  Walker walker(context, walked);
  for (const fs::path& given : paths) {
    const fs::path path = catalog_path(given);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (error && status.type() == fs::file_type::none) return fail(Error::Kind::kIo, "{}: {}", given.string(), error.message());
    if (!fs::exists(status)) return fail(Error::Kind::kNotFound, "{}: no such file or folder", given.string());
    if (catalog != nullptr) FOVEA_TRY(catalog->known(path, walked.known));
    if (fs::is_directory(status)) {
      walker.folder(path);
    } else {
      walker.photo(path);
    }
  }
  for (const std::string& line : walker.notes().lines()) note(line);
  return walked;
}

}  // namespace fovea::archive
