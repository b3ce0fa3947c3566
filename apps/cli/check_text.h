// Fovea: a check's findings, for people and for programs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "console.h"
#include "fovea/check.h"

namespace fovea::cli {

/// What needs a person first. At most `most` lines of each kind of finding; 0: all. Paths are shown as below `root`.
void print_check(Console& console, const CheckReport& report, const std::filesystem::path& root, int most);

/// One object per finding, then one that sums up.
void print_check_json(Console& console, const CheckReport& report);

}  // namespace fovea::cli
