// Fovea: which files below a folder are photos. Reads names and, where a name says nothing, first bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/notes.h"

namespace fovea {

/// Hidden, or left behind by an operating system, a file manager or a network drive: never looked into, never mentioned.
[[nodiscard]] bool is_litter(const std::filesystem::path& name);

/// By extension; or, when the extension is not a photo's, by the first bytes.
[[nodiscard]] bool is_photo(const std::filesystem::path& path);

/// A folder's entries without litter, bytewise by name. What cannot be listed is noted and empty.
struct Listing {
  std::vector<std::filesystem::path> folders;
  std::vector<std::filesystem::path> files;
};
[[nodiscard]] Listing list_folder(const std::filesystem::path& folder, bool follow_symlinks, Notes& notes);

/// Device and inode of the folders that a walk has entered: so a loop of links ends.
using Entered = std::set<std::pair<std::uint64_t, std::uint64_t>>;
/// False, and noted, if the folder was entered before.
bool enter(const std::filesystem::path& folder, Entered& entered, Notes& notes);

/// Every photo below `folder`, at any depth, bytewise by path.
[[nodiscard]] std::vector<std::filesystem::path> find_photos(const std::filesystem::path& folder, bool follow_symlinks,
                                                             Entered entered, Notes& notes);

}  // namespace fovea
