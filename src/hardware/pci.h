// Fovea: graphics processors on the PCI bus, which the kernel lists whether or not a driver knows them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hardware/system_view.h"

namespace fovea::hardware {

struct PciGpu {
  std::string address;        ///< "0000:65:00.0"
  std::uint32_t device = 0;   ///< NVIDIA's number of the model
  std::string kernel_module;  ///< that drives it: "nvidia", "nouveau", "vfio-pci"; empty: none
};

/// NVIDIA's display and compute controllers below sys/bus/pci/devices, by address.
[[nodiscard]] std::vector<PciGpu> nvidia_gpus_on_pci(const SystemView& system);

}  // namespace fovea::hardware
