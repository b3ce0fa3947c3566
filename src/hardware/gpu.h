// Fovea: whether NVIDIA GPUs can be used here: what there is, what is wrong with it, and what to do.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hardware/cuda_driver.h"
#include "hardware/libraries.h"
#include "hardware/pci.h"
#include "hardware/system_view.h"

namespace fovea::hardware {

/// What using a GPU takes.
struct GpuNeeds {
  Version cuda{13, 0};
  int driver_major = 580;  ///< of the kernel module, the first that can run `cuda`
  Version compute_capability{7, 5};
  /// The runtime is linked into the plug-in, and its own kernels do what cuDNN would.
  std::vector<LibraryNeed> libraries{{"libcublasLt.so", 13, "cuBLAS of CUDA 13"}};
  std::uint64_t bytes = 0;        ///< of memory, whatever the batch; 0: not known
  std::uint64_t photo_bytes = 0;  ///< more for each photo of a batch
  int batch = 1;
};

struct GpuFacts {
  std::vector<PciGpu> pci;
  bool wsl = false;                   ///< Windows' Linux: the GPU is no PCI device there
  std::optional<std::string> module;  ///< version of the kernel module; nothing: it is not loaded
  bool device_nodes = false;          ///< /dev/nvidia0 or its like
  bool container = false;
  std::optional<std::string> visible;  ///< CUDA_VISIBLE_DEVICES
  std::string driver_library;          ///< path of libcuda.so.1; empty: not there
  std::optional<DriverAnswer> driver;  ///< nothing: not asked, or no answer
  std::string driver_failure;          ///< why there is no answer
  std::vector<LibraryFinding> libraries;
  std::vector<std::string> folders;  ///< where libraries were looked for
};

/// Reads a few small files; asks the driver, which takes a moment, only where there are a GPU and a driver.
[[nodiscard]] GpuFacts probe_gpus(const SystemView& system, const GpuNeeds& needs = {});

enum class GpuProblem : std::uint8_t {
  kNone,
  kNoHardware,
  kNoDriver,
  kNoDeviceInContainer,
  kHidden,  ///< CUDA_VISIBLE_DEVICES
  kDriverBroken,
  kDriverTooOld,
  kLibraryMissing,
  kLibraryWrongVersion,
  kNoSuchGpu,
  kGpuTooOld,
  kTooLittleMemory,
};
[[nodiscard]] std::string_view name_of(GpuProblem problem);

struct GpuDiagnosis {
  GpuProblem problem = GpuProblem::kNone;
  std::string what;    ///< "this machine has no NVIDIA GPU"
  std::string remedy;  ///< what to do about it
  [[nodiscard]] bool usable() const { return problem == GpuProblem::kNone; }
  /// Both in one line.
  [[nodiscard]] std::string sentence() const { return remedy.empty() ? what : what + "; " + remedy; }
};

/// The first thing that keeps GPU `index` from being used. `system` names the processes that hold memory.
[[nodiscard]] GpuDiagnosis diagnose(const GpuFacts& facts, const GpuNeeds& needs, int index, const SystemView& system);

}  // namespace fovea::hardware
