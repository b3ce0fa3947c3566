// Fovea: where a person's files lie.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "fovea/result.h"

namespace fovea {

/// $XDG_CACHE_HOME/fovea, else ~/.cache/fovea. The home folder is $HOME, or where that is not set, as of a service, the one that
/// the system's list of users names. Paths that are not absolute count as none. kNotFound when nothing is known.
Result<std::filesystem::path> user_cache_folder();

/// The same for what is to stay: $XDG_DATA_HOME/fovea, else ~/.local/share/fovea.
Result<std::filesystem::path> user_data_folder();

}  // namespace fovea
