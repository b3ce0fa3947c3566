// Fovea: what a container, a service manager or a batch system allows this process: Linux control groups, version 2 and 1.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace fovea {

/// Both read below `root`, where tests put the files of another machine. A group is held to the limits of those above it too:
/// the tightest counts. In a container its own group may be shown as the root.
///
/// Processor time as a number of processors (1.5: one and a half); nothing where it is not limited.
[[nodiscard]] std::optional<double> processor_quota(const std::filesystem::path& root = "/");

/// Bytes of memory that may still be taken, at least 0; nothing where they are not limited. Pages of files that were read and can
/// be dropped count as free.
[[nodiscard]] std::optional<std::int64_t> memory_allowance(const std::filesystem::path& root = "/");

}  // namespace fovea
