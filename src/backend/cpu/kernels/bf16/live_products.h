// Fovea: products of bf16 operands inside a block whose normalisations go by the batch's own statistics, which are applied to
// sums before those are rounded. Columns of b are packed in their natural order. Vectors that belong to channels go on with zeros
// up to whole blocks of 32.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/batch_norm.h"
#include "backend/cpu/kernels/bf16/products.h"

namespace fovea::cpu::bf16 {

/// Rows of what a BatchNorm and an activation read: x (rows, channels).
struct NormedRows {
  const Bf16* x;
  std::int64_t channels;
  Normalisation by;
  graph::Activation activation;
};

/// A gradient in blocks, `block` numbers from one to the next, of a BatchNorm's output: even channels first, as
/// depthwise_backward leaves it.
struct GradientBlocks {
  const Bf16* data;
  std::int64_t block;
};

/// What goes back through a BatchNorm: scale (g - sum - (x - mean) product).
struct NormBackward {
  const float* mean;
  const float* scale;
  const float* sum;
  const float* product;
};

/// An operand in blocks, and the same by pairs.
struct BlocksAndPairs {
  Bf16* blocks;
  std::int64_t block;
  Bf16* pairs;
  std::int64_t half;
};

struct LiveProductKernels {
  /// out = activation(scale product + shift)
  void (*expand)(const Product& product, const float* scale, const float* shift, graph::Activation activation,
                 const ScatteredPairs& out);
  /// With g = product times the derivative of the activation at z of the same row: sums and products grow by g and g (x - mean).
  void (*gradient_sums)(const Product& product, const NormedRows& rows, float* sums, float* products);
  /// out = by of g and x.
  void (*gradient)(const Product& product, const NormedRows& rows, const NormBackward& by, const ScatteredPairs& out);
  /// sums and products grow by g, and by g (product - mean): of rows p for which plain[p] is not negative. Their number is even.
  void (*norm_sums)(const Product& product, const float* mean, const GradientBlocks& g, const std::int32_t* plain, float* sums,
                    float* products);
  /// out = by of g and the product. The number of rows is even.
  void (*through_norm)(const Product& product, const NormBackward& by, const GradientBlocks& g, const BlocksAndPairs& out);
};
/// Of a unit that is available.
[[nodiscard]] LiveProductKernels live_product_kernels(Unit unit);

}  // namespace fovea::cpu::bf16
