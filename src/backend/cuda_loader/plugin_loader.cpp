// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda_loader/plugin_loader.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "backend/cuda_plugin.h"
#include "core/error.h"
#include "core/shared_library.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

Error unsupported(const fs::path& file, const std::string& what) {
  return fail(Error::Kind::kUnsupported, "{}: {}", file.string(), what);
}

/// Null, and why, where the file is no plug-in of this build.
Result<const CudaPlugin*> plugin_of(const fs::path& file) {
  FOVEA_ASSIGN(const SharedLibrary library, SharedLibrary::open(file));
  const auto entry = library.find<CudaPluginEntry>(kCudaPluginEntry);
  if (entry == nullptr) return unsupported(file, fmt::format("is no CUDA part of Fovea: it has no {}", kCudaPluginEntry));
  const CudaPlugin* plugin = entry();
  if (plugin == nullptr || plugin->version != kCudaPluginVersion) {
    return unsupported(file, fmt::format("its interface is version {}, this program's is {}; install both parts of one release",
                                         plugin == nullptr ? 0 : plugin->version, kCudaPluginVersion));
  }
  if (plugin->build != plugin_build()) {
    return unsupported(file, fmt::format("it was built as Fovea {}, this program as {}; install both parts of one release",
                                         printable(plugin->build), plugin_build()));
  }
  return plugin;
}

}  // namespace

std::vector<fs::path> plugin_folders(const fs::path& program) {
  const fs::path folder = program.parent_path();
  std::vector<fs::path> folders{folder};
  // bin/fovea, and libexec/fovea/fovea-media
  for (const char* up : {"..", "../.."}) {
    for (const char* below : {FOVEA_LIBRARY_FOLDER, "lib"}) {
      const fs::path made = (folder / up / below / "fovea").lexically_normal();
      if (std::find(folders.begin(), folders.end(), made) == folders.end()) folders.push_back(made);
    }
  }
  return folders;
}

Result<const CudaPlugin*> load_plugin(const fs::path& file) {
  std::error_code failed;
  if (!fs::exists(file, failed)) return unsupported(file, "there is no such file");
  return plugin_of(file);
}

Result<const CudaPlugin*> load_plugin_in(std::span<const fs::path> folders) {
  std::vector<std::string> looked;
  for (const fs::path& folder : folders) {
    std::error_code failed;
    if (fs::exists(folder / kCudaPluginFile, failed)) return load_plugin(folder / kCudaPluginFile);
    looked.push_back(folder.string());
  }
  return fail(Error::Kind::kUnsupported,
              "{} is in none of {}; install the CUDA part of Fovea, or name its file in FOVEA_CUDA_PLUGIN", kCudaPluginFile,
              fmt::join(looked, ", "));
}

Result<std::unique_ptr<Backend>> open_backend(const CudaPlugin& plugin, int device) {
  PluginReason reason;
  std::unique_ptr<Backend> backend(plugin.open(device, reason.data(), reason.room()));
  if (!backend) return reason.error();
  return backend;
}

Error PluginReason::error() const { return fail(Error::Kind::kUnsupported, "{}", printable(text_.data(), text_.size())); }

Result<std::unique_ptr<Backend>> open_plugin(const fs::path& file, int device) {
  FOVEA_ASSIGN(const CudaPlugin* plugin, load_plugin(file));
  return open_backend(*plugin, device);
}

Result<std::unique_ptr<Backend>> open_plugin_in(std::span<const fs::path> folders, int device) {
  FOVEA_ASSIGN(const CudaPlugin* plugin, load_plugin_in(folders));
  return open_backend(*plugin, device);
}

}  // namespace fovea
