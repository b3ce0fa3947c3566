// Fovea: batch normalisation between rows of a tensor and a fused block's blocks of 16 channels (block_product.h). Vectors that
// belong to channels go on with zeros up to whole blocks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/batch_norm.h"
#include "backend/cpu/kernels/block_product.h"
#include "backend/cpu/kernels/target.h"
#include "graph/ops.h"

namespace fovea::cpu {

struct BlockNormKernels {
  /// out (rows, channels) = x - pivot.
  void (*centre)(const float* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* out);
  /// out (rows, channels) = a, which is in blocks a_block floats apart; sum and squares grow by those of a - pivot.
  void (*moments_from_blocks)(const float* a, std::int64_t a_block, std::int64_t rows, std::int64_t channels, const float* pivot,
                              float* out, float* sum, float* squares);
  /// out, in blocks = activation(z) of x (rows, channels).
  void (*normalise_to_blocks)(graph::Activation activation, const Normalisation& by, const float* x, std::int64_t rows,
                              std::int64_t channels, const Scattered& out);
  /// out, in blocks = scale (g - sum - (x - mean) product): x (rows, channels), g in blocks of `rows` positions.
  void (*backward_to_blocks)(const Normalisation& by, const float* sum, const float* product, const float* x, const float* g,
                             std::int64_t rows, std::int64_t channels, const Scattered& out);
  /// total (count) += more (count).
  void (*grow)(const float* more, std::int64_t count, double* total);
};
[[nodiscard]] BlockNormKernels block_norm_kernels(Target target);

/// For each of `count` rows w (count, channels) of a product's weights, given the covariance (channels, channels) of what they
/// multiply: t (count, channels) = w covariance, and var (count) = t w', the variance of the product.
using ProductVariances = void(const float* w, std::int64_t count, std::int64_t channels, const double* covariance, float* t,
                              float* var);
[[nodiscard]] ProductVariances* product_variances(Target target);

}  // namespace fovea::cpu
