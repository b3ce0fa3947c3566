// Fovea: the system as probes see it: a root folder and an environment, so that tests can give another machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace fovea::hardware {

struct SystemView {
  std::filesystem::path root = "/";
  /// The value of a variable; nothing where it is not set.
  std::function<std::optional<std::string>(const char* name)> environment;

  /// A path of the system, below the root: `at("proc/cpuinfo")`.
  [[nodiscard]] std::filesystem::path at(const std::filesystem::path& path) const { return root / path.relative_path(); }
  [[nodiscard]] std::optional<std::string> variable(const char* name) const {
    return environment ? environment(name) : std::nullopt;
  }
};

/// This machine, this process.
[[nodiscard]] SystemView this_system();

/// The first `most` bytes of a small file of the system, without white space at the end; nothing where it cannot be read.
[[nodiscard]] std::optional<std::string> read_small(const std::filesystem::path& path, std::size_t most = 4096);

}  // namespace fovea::hardware
