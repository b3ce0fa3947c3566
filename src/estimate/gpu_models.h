// Fovea: what common GPUs are said to do at best, to estimate with where there is none to measure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "fovea/result.h"
#include "graph/ops.h"

namespace fovea::estimate {

/// Peak rates as their maker publishes them; tensor rates without sparsity, with sums of 32 bits.
struct GpuModel {
  std::string_view name;    ///< "RTX 4060 Ti"
  double gb_s = 0;          ///< of its memory
  double fp32_tflops = 0;   ///< of its ordinary units
  double tf32_tflops = 0;   ///< of its tensor units on fp32 operands; 0: they have no such format
  double half_tflops = 0;   ///< of its tensor units on bf16; before compute capability 8.0 on fp16
  double gib = 0;           ///< memory
  double capability = 0;    ///< compute capability
  std::string_view source;  ///< where the maker publishes it
};

[[nodiscard]] std::span<const GpuModel> gpu_models();

/// Peak of its products of such numbers, in TFLOP/s: of the tensor units, but for fp32, which they do not multiply.
[[nodiscard]] double tflops_of(const GpuModel& gpu, graph::Precision precision);

/// By name, whatever its case, blanks and dashes, with or without "NVIDIA" and "GeForce"; kNotFound lists those that are known.
Result<GpuModel> find_gpu_model(std::string_view name);

}  // namespace fovea::estimate
