// Fovea: finds and opens the CUDA plug-in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda_plugin.h"

namespace fovea {

/// Where the plug-in of a program may lie, best first: beside it and in the library folders that belong to it.
[[nodiscard]] std::vector<std::filesystem::path> plugin_folders(const std::filesystem::path& program);

/// The plug-in of `file`, a path, which stays loaded. kUnsupported says what was looked for and what was found.
Result<const CudaPlugin*> load_plugin(const std::filesystem::path& file);
/// The first plug-in in `folders`.
Result<const CudaPlugin*> load_plugin_in(std::span<const std::filesystem::path> folders);

/// Room for what a plug-in says when something fails.
class PluginReason {
 public:
  [[nodiscard]] char* data() { return text_.data(); }
  [[nodiscard]] std::size_t room() const { return text_.size(); }
  [[nodiscard]] Error error() const;

 private:
  std::array<char, 1024> text_{};
};

Result<std::unique_ptr<Backend>> open_backend(const CudaPlugin& plugin, int device);

/// Opens the plug-in of `file`, a path. kUnsupported says what was looked for and what was found.
Result<std::unique_ptr<Backend>> open_plugin(const std::filesystem::path& file, int device);

/// The first plug-in in `folders`.
Result<std::unique_ptr<Backend>> open_plugin_in(std::span<const std::filesystem::path> folders, int device);

}  // namespace fovea
