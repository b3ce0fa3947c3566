// Fovea: what NVIDIA's driver says of its GPUs, asked through its own libraries, which are opened for the question.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/result.h"
#include "hardware/version.h"

namespace fovea::hardware {

/// A process that holds memory of a GPU.
struct GpuProcess {
  std::uint32_t pid = 0;
  std::uint64_t bytes = 0;
};

struct DriverGpu {
  std::string name;
  std::string address;  ///< on PCI
  Version compute_capability;
  std::uint64_t total_bytes = 0;
  std::optional<std::uint64_t> free_bytes;  ///< where the management library tells
  std::vector<GpuProcess> processes;        ///< largest first
};

struct DriverAnswer {
  Version cuda;  ///< the newest CUDA that the driver can run
  std::vector<DriverGpu> gpus;
  std::string trouble;  ///< why there are no GPUs, in the driver's own terms; empty while all is well
};

/// `driver`: libcuda.so.1; `management`: libnvidia-ml.so.1, or empty. kUnsupported when `driver` is no such library.
Result<DriverAnswer> ask_driver(const std::filesystem::path& driver, const std::filesystem::path& management);

}  // namespace fovea::hardware
