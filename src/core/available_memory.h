// Fovea: how much memory there is to be had.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

namespace fovea {

/// Both read below `root`, where tests put the files of another machine; 0 where the system does not tell.
///
/// Bytes of the machine.
[[nodiscard]] std::int64_t total_memory(const std::filesystem::path& root = "/");
/// Bytes that this process may still take without anything being swapped out: limits of its control group included.
[[nodiscard]] std::int64_t available_memory(const std::filesystem::path& root = "/");

}  // namespace fovea
