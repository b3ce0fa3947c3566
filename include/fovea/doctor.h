// Fovea: what hardware and libraries are here, which device will be used, and why each other one will not.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/result.h"

namespace fovea {

struct DoctorOptions {
  std::string device = "auto";  ///< what the verbs would be asked for
  int threads = 0;              ///< 0: every processor this process may use
  bool measure = true;          ///< rates, which takes about a second
};

struct ProcessorReport {
  std::string name;
  int processors = 0;                 ///< that this process may use
  std::string instruction_set;        ///< of Fovea's own kernels: "avx3_dl"; empty where FOVEA_CPU names one that there is not
  std::string dense_instruction_set;  ///< of the dense products
  std::string bf16;                   ///< what multiplies bf16 numbers in training: "amx", "avx512_bf16"; empty: nothing
  std::int64_t memory = 0;            ///< bytes
  std::int64_t free_memory = 0;
  double gemm_gflops = 0;  ///< fp32 product of large matrices, all threads; 0: not measured
  double copy_gb_s = 0;    ///< read and written; 0: not measured
};

struct GpuReport {
  std::string name;     ///< as the driver says, else NVIDIA's number of the model
  std::string address;  ///< on PCI
  std::string compute_capability;
  std::int64_t memory = 0;  ///< bytes; 0: the driver does not tell
  std::optional<std::int64_t> free_memory;
  std::string problem;  ///< why it cannot be used, and what to do; empty: it can
};

struct LibraryReport {
  std::string name;
  std::string version;  ///< empty: not known, or not there
  std::string path;     ///< empty: part of the program, or not there
};

struct DeviceUse {
  std::string verb;
  std::string device;  ///< empty: what was asked for cannot be used
  std::string reason;
};

struct DoctorReport {
  std::string verdict;              ///< one line
  std::vector<std::string> faults;  ///< what was asked for, by option or environment, and cannot be used
  ProcessorReport processor;
  std::string driver;       ///< of NVIDIA; empty: none is loaded
  std::string driver_cuda;  ///< the newest CUDA that it can run; empty: not known
  std::vector<GpuReport> gpus;
  std::string no_gpu;  ///< why no GPU is used; empty: one is
  std::vector<LibraryReport> libraries;
  std::vector<DeviceUse> uses;
  double gpu_search_seconds = 0;  ///< what looking for GPUs took
  double seconds = 0;
};

/// Never fails: what is wrong is in the report.
[[nodiscard]] DoctorReport doctor(const DoctorOptions& options = {});

}  // namespace fovea
