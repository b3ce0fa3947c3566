// SPDX-License-Identifier: Apache-2.0
#include "archive/find_marked.h"

#include <array>
#include <mutex>
#include <string>
#include <unordered_set>

#include "archive/change.h"
#include "archive/walk.h"
#include "core/error.h"
#include "data/workers.h"
#include "metadata/container.h"
#include "metadata/xmp.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;

// Its file and its sidecar.
using Marked = std::array<fs::path, 2>;

bool is_marked_photo(const fs::path& photo) {
  const auto read = read_stamped(photo);
  return read && metadata::read_metadata(read->bytes).marked;
}

bool is_marked_sidecar(const fs::path& sidecar) {
  const auto read = read_stamped(sidecar);
  if (!read) return false;
  const auto content = metadata::read_xmp(metadata::as_text(read->bytes));
  return content && content->marked;
}

}  // namespace

Result<std::vector<Edit>> find_marked(const Context& context, const std::vector<fs::path>& paths, Catalog& catalog,
                                      const std::vector<Edit>& known, ArchiveObserver& observer) {
  std::unordered_set<std::string> changed;
  for (const Edit& edit : known) changed.insert(edit.file.native());
  FOVEA_ASSIGN(const Walked walked, walk(context, paths, &catalog, [&](std::string_view text) { observer.on_note(text); }));
  std::vector<Marked> marked(walked.photos.size());
  std::mutex mutex;
  std::int64_t done = 0;
  for_each_photo(context, static_cast<std::int64_t>(marked.size()), [&](std::int64_t i) {
    const fs::path& photo = walked.photos[static_cast<std::size_t>(i)];
    const auto found = walked.known.find(photo.native());
    const bool unchanged = found != walked.known.end() && stamp_of(photo) == found->second.photo;
    auto& [file, sidecar] = marked[static_cast<std::size_t>(i)];
    if (!unchanged && !changed.contains(photo.native()) && is_marked_photo(photo)) file = photo;
    const fs::path beside = sidecar_of(photo);
    if (!changed.contains(beside.native()) && is_marked_sidecar(beside)) sidecar = beside;
    const std::lock_guard lock(mutex);
    observer.on_progress({"looking for keywords", ++done, static_cast<std::int64_t>(marked.size())});
  });
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    for (const fs::path& file : marked[i]) {
      if (!file.empty()) edits.push_back({file, walked.photos[i], {}, {}, {}});
    }
  }
  return edits;
}

}  // namespace fovea::archive
