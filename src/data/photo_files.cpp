// SPDX-License-Identifier: Apache-2.0
#include "data/photo_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/file.h"
#include "data/text.h"
#include "image/decode.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 16> kPhotoExtensions{".jpg",  ".jpeg", ".jpe",  ".jfif", ".png", ".webp",
                                                            ".gif",  ".tif",  ".tiff", ".bmp",  ".dib", ".heic",
                                                            ".heif", ".hif",  ".avif", ".apng"};
constexpr std::array<std::string_view, 9> kLitter{"thumbs.db",    "ehthumbs.db", "desktop.ini", "@eadir", "#recycle",
                                                  "$recycle.bin", "__macosx",    "lost+found",  "icon\r"};
// Enough for every signature that `sniff` knows.
constexpr std::size_t kSniffed = 64;

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void collect(const fs::path& folder, bool follow_symlinks, Entered& entered, Notes& notes, std::vector<fs::path>& photos) {
  if (!enter(folder, entered, notes)) return;
  const Listing listing = list_folder(folder, follow_symlinks, notes);
  for (const fs::path& file : listing.files) {
    if (is_photo(file)) {
      photos.push_back(file);
    } else {
      notes.add("not a photo", file);
    }
  }
  for (const fs::path& child : listing.folders) collect(child, follow_symlinks, entered, notes, photos);
}

void sort_bytewise(std::vector<fs::path>& paths) {
  std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
}

}  // namespace

bool is_litter(const fs::path& name) {
  const std::string& text = name.native();
  return text.empty() || text.front() == '.' || contains(kLitter, lower_case(text));
}

bool is_photo(const fs::path& path) {
  if (contains(kPhotoExtensions, lower_case(path.extension().native()))) return true;
  const std::string head = read_head(path, kSniffed);
  return sniff(std::as_bytes(std::span(head))).ok();
}

Listing list_folder(const fs::path& folder, bool follow_symlinks, Notes& notes) {
  Listing listing;
  std::error_code failed;
  fs::directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    const fs::path& path = entry->path();
    if (is_litter(path.filename())) continue;
    std::error_code unknown;
    const bool link = entry->is_symlink(unknown);
    const fs::file_status status = entry->status(unknown);
    if (link && !follow_symlinks) {
      notes.add("a link", path);
    } else if (fs::is_directory(status)) {
      listing.folders.push_back(path);
    } else if (fs::is_regular_file(status)) {
      listing.files.push_back(path);
    } else {
      notes.add(link ? "a link that leads nowhere" : "neither file nor folder", path);
    }
  }
  if (failed) notes.add_missing("a folder that cannot be read: " + failed.message(), folder);
  sort_bytewise(listing.folders);
  sort_bytewise(listing.files);
  return listing;
}

bool enter(const fs::path& folder, Entered& entered, Notes& notes) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return true;  // listing it will say why
  if (entered.emplace(status.st_dev, status.st_ino).second) return true;
  notes.add("a link to a folder that was entered already", folder);
  return false;
}

std::vector<fs::path> find_photos(const fs::path& folder, bool follow_symlinks, Entered entered, Notes& notes) {
  std::vector<fs::path> photos;
  collect(folder, follow_symlinks, entered, notes, photos);
  sort_bytewise(photos);
  return photos;
}

}  // namespace fovea
