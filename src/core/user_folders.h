// Fovea: where a person's files lie.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "fovea/result.h"

namespace fovea {

/// $XDG_CACHE_HOME/fovea, else ~/.cache/fovea; kNotFound when neither is known.
Result<std::filesystem::path> user_cache_folder();

}  // namespace fovea
