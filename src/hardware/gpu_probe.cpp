// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "hardware/gpu.h"

namespace fovea::hardware {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed);
}

/// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul ...": the first word that begins as a version does. The
/// open kernel module says "... Open Kernel Module for x86_64  580.65.06 ...".
std::optional<std::string> module_version(const SystemView& system) {
  if (const auto version = read_small(system.at("sys/module/nvidia/version"), 64)) return printable(*version);
  const auto text = read_small(system.at("proc/driver/nvidia/version"));
  if (!text) return std::nullopt;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find_first_of(" \t\n", begin), text->size());
    std::string word = text->substr(begin, end - begin);
    if (word.find('.') != std::string::npos && parse_version(word) && word.find_first_not_of("0123456789.") == std::string::npos)
      return word;
    begin = end + 1;
  }
  return std::string();  // loaded, of a version that it does not tell
}

bool in_container(const SystemView& system) {
  if (is_there(system.at(".dockerenv")) || is_there(system.at("run/.containerenv"))) return true;
  return !system.variable("container").value_or("").empty() || system.variable("KUBERNETES_SERVICE_HOST").has_value();
}

bool has_device_nodes(const SystemView& system) {
  constexpr int kMost = 16;  // a container may have been given any of them
  for (int n = 0; n < kMost; ++n) {
    if (is_there(system.at("dev/nvidia" + std::to_string(n)))) return true;
  }
  return is_there(system.at("dev/dxg"));
}

}  // namespace

GpuFacts probe_gpus(const SystemView& system, const GpuNeeds& needs) {
  GpuFacts facts;
  facts.pci = nvidia_gpus_on_pci(system);
  facts.wsl = is_there(system.at("dev/dxg"));
  facts.module = module_version(system);
  facts.device_nodes = has_device_nodes(system);
  facts.container = in_container(system);
  facts.visible = system.variable("CUDA_VISIBLE_DEVICES");
  if (facts.pci.empty() && !facts.wsl && !facts.module && !facts.device_nodes) return facts;

  for (const fs::path& folder : library_folders(system)) facts.folders.push_back(folder.string());
  const LibraryFinding library = find_library(system, {"libcuda.so", 1, "the NVIDIA driver"});
  facts.driver_library = library.found.string();
  for (const LibraryNeed& need : needs.libraries) facts.libraries.push_back(find_library(system, need));
  if (library.found.empty() || !facts.device_nodes) return facts;
  const LibraryFinding management = find_library(system, {"libnvidia-ml.so", 1, "the NVIDIA driver"});
  auto answer = ask_driver(library.found, management.found);
  if (answer) {
    facts.driver = std::move(*answer);
  } else {
    facts.driver_failure = answer.error().message;
  }
  return facts;
}

}  // namespace fovea::hardware
