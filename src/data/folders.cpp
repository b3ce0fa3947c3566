// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "data/layouts.h"
#include "data/photo_files.h"
#include "data/text.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

// The folder of each split. When two claim the same one (val and validation), the first in this order is taken.
using SplitFolders = std::map<Split, fs::path>;
constexpr std::array<std::string_view, 5> kSplitNames{"train", "val", "validation", "valid", "test"};

SplitFolders split_folders(const Listing& root) {
  SplitFolders found;
  for (const std::string_view name : kSplitNames) {
    for (const fs::path& folder : root.folders) {
      if (lower_case(folder.filename().native()) == name) found.emplace(*split_from(name), folder);
    }
  }
  return found;
}

// A class may be called "train" too, beside "bus" and "tram": splits are meant when train comes with val or test, or when nothing
// but splits is there; and only if they hold folders themselves.
bool means_splits(const Listing& root, const SplitFolders& splits) {
  if (splits.empty()) return false;
  const bool nothing_else = std::all_of(root.folders.begin(), root.folders.end(), [](const fs::path& folder) {
    return split_from(folder.filename().native()).has_value();
  });
  if (!nothing_else && (!splits.contains(Split::kTrain) || splits.size() < 2)) return false;
  Notes unheard;
  return std::any_of(splits.begin(), splits.end(),
                     [&](const auto& split) { return !list_folder(split.second, true, unheard).folders.empty(); });
}

// Every folder below `root` is a class.
void read_classes(const fs::path& root, Split split, const ScanOptions& options, const Entered& above, Notes& notes,
                  std::vector<NamedSample>& samples) {
  Entered entered = above;
  if (!enter(root, entered, notes)) return;
  const Listing listing = list_folder(root, options.follow_symlinks, notes);
  for (const fs::path& file : listing.files)
    notes.add(is_photo(file) ? "a photo outside the class folders" : "not a photo", file);
  for (const fs::path& folder : listing.folders) {
    const std::vector<fs::path> photos = find_photos(folder, options.follow_symlinks, entered, notes);
    if (photos.empty()) notes.add("a class folder without photos", folder);
    for (const fs::path& photo : photos) samples.push_back({photo, {folder.filename().string()}, split});
  }
}

}  // namespace

Result<FoundPhotos> read_folders(const fs::path& root, const ScanOptions& options, Notes& notes) {
  std::error_code failed;
  const fs::directory_iterator readable(root, failed);
  if (failed) return fail(Error::Kind::kIo, "{}: cannot read the folder: {}", root.string(), failed.message());

  Notes unheard;
  const Listing listing = list_folder(root, options.follow_symlinks, unheard);
  const SplitFolders splits = split_folders(listing);
  FoundPhotos found;
  if (!means_splits(listing, splits)) {
    read_classes(root, Split::kTrain, options, {}, notes, found.samples);
    return found;
  }
  found.layout = Layout::kSplitFolders;
  Entered entered;
  enter(root, entered, notes);
  for (const fs::path& file : listing.files)
    notes.add(is_photo(file) ? "a photo outside the class folders" : "not a photo", file);
  for (const fs::path& folder : listing.folders) {
    const auto split = split_from(folder.filename().native());
    if (!split || splits.at(*split) != folder) {
      notes.add("a folder beside train and val", folder);
      continue;
    }
    read_classes(folder, *split, options, entered, notes, found.samples);
  }
  return found;
}

}  // namespace fovea
