// Fovea: what the program and its CUDA plug-in agree on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "backend/backend.h"
#include "backend/gpu_sort.h"
#include "communicate/communicator.h"
#include "fovea/version.h"

namespace fovea {

/// Rises with every change of what crosses the boundary: this file, backend.h, memory.h, and what they include.
inline constexpr std::uint32_t kCudaPluginVersion = 7;

/// The file, and the function in it that gives its CudaPlugin.
inline constexpr char kCudaPluginFile[] = "libfovea_cuda.so";
inline constexpr char kCudaPluginEntry[] = "fovea_cuda_plugin";

struct CudaPlugin {
  std::uint32_t version = 0;    ///< kCudaPluginVersion; the rest is read only if it is the reader's own
  const char* build = nullptr;  ///< C++ objects cross, so it must be the program's own plugin_build()
  /// A backend on GPU `device`, owned by the caller; or null, with the reason in `reason`, at most `room` bytes with the last
  /// zero.
  Backend* (*open)(int device, char* reason, std::size_t room) = nullptr;
  /// As sort_on_gpu(); false, and `reason`, when it fails.
  bool (*sort)(int device, std::uint32_t* numbers, std::size_t count, int runs, GpuSortTimes* times, char* reason,
               std::size_t room) = nullptr;
  /// As make_gpu_team(): `count` members, owned by the caller; false, and `reason`, when it fails.
  bool (*team)(const int* devices, std::size_t count, Communicator** members, char* reason, std::size_t room) = nullptr;
};
using CudaPluginEntry = const CudaPlugin*();

/// Program version and compiler: "0.1.0, compiler 14.2.0".
[[nodiscard]] inline std::string plugin_build() { return std::string(version()) + ", compiler " + __VERSION__; }

}  // namespace fovea
