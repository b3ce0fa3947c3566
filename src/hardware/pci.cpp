// SPDX-License-Identifier: Apache-2.0
#include "hardware/pci.h"

#include <algorithm>
#include <cstdlib>

namespace fovea::hardware {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kNvidia = 0x10DE;
constexpr std::uint32_t kDisplayController = 0x03;  // the class's first byte: VGA, 3D and other display controllers

/// "0x10de"; 0 where it cannot be read.
std::uint32_t number_in(const fs::path& path) {
  const auto text = read_small(path, 16);
  return text ? static_cast<std::uint32_t>(std::strtoul(text->c_str(), nullptr, 16)) : 0;
}

}  // namespace

std::vector<PciGpu> nvidia_gpus_on_pci(const SystemView& system) {
  std::vector<PciGpu> gpus;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(system.at("sys/bus/pci/devices"), failed)) {
    if (number_in(entry.path() / "vendor") != kNvidia || number_in(entry.path() / "class") >> 16U != kDisplayController) continue;
    std::error_code none;
    const fs::path driver = fs::read_symlink(entry.path() / "driver", none);
    gpus.push_back({entry.path().filename().string(), number_in(entry.path() / "device"), driver.filename().string()});
  }
  std::ranges::sort(gpus, {}, &PciGpu::address);
  return gpus;
}

}  // namespace fovea::hardware
