// Fovea: matrix products inside a fused block. Wide activations are kept in blocks of 16 channels: (block, position, 16), so
// that a product reads them with fixed strides, whatever their number of channels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/batch_norm.h"
#include "backend/cpu/kernels/target.h"
#include "graph/ops.h"

namespace fovea::cpu {

inline constexpr std::int64_t kBlockChannels = 16;
[[nodiscard]] constexpr std::int64_t blocks_of(std::int64_t channels) { return (channels + kBlockChannels - 1) / kBlockChannels; }

/// a (rows, depth) in blocks, times b (depth, panels 16), packed as (panel, depth, 16).
struct BlockProduct {
  const float* a;
  std::int64_t a_block;  ///< floats from one block of a to the next
  std::int64_t rows;
  std::int64_t depth;
  const float* b;
  std::int64_t panels;
  std::int64_t first = 0;  ///< panels before this one are left out
};

/// Where the rows of a result in blocks go: row p of panel j starts at data + j block + place[p]; dropped where place[p] < 0.
struct Scattered {
  float* data;
  std::int64_t block;
  const std::int32_t* place;
};

struct BlockKernels {
  /// out = activation(product + bias)
  void (*expand)(const BlockProduct& product, const float* bias, graph::Activation activation, const Scattered& out);
  /// out = product times the derivative of the activation as seen from its output `seen` (in blocks, seen_block floats apart);
  /// sums (panels, 16) grow by what that adds up to.
  void (*gradient)(const BlockProduct& product, graph::Activation activation, const float* seen, std::int64_t seen_block,
                   const Scattered& out, float* sums);
  /// out = g = product times the derivative of the activation at z, x (rows, channels) normalised; sums and products (panels, 16)
  /// grow by g and by g (x - mean).
  void (*gradient_of_norm)(const BlockProduct& product, graph::Activation activation, const Normalisation& by, const float* x,
                           std::int64_t channels, const Scattered& out, float* sums, float* products);
  /// out (rows, columns) = (product + bias + plus) times the derivative of the activation as seen from `seen`; bias (panels, 16),
  /// plus and seen (like out) may be null.
  void (*narrow)(const BlockProduct& product, std::int64_t columns, const float* bias, const float* plus,
                 graph::Activation activation, const float* seen, float* out);
  /// sums (panels, width, 16) += a' b: a (rows, width) as it lies in a tensor, b (rows, panels 16) in blocks.
  void (*outer)(const float* a, std::int64_t width, std::int64_t rows, const float* b, std::int64_t b_block, std::int64_t panels,
                float* sums);
  /// x (rows, channels) into blocks; channels beyond the last become zeros.
  void (*to_blocks)(const float* x, std::int64_t rows, std::int64_t channels, const Scattered& out);
  /// And back: out = (a + plus) times the derivative as in `narrow`.
  void (*from_blocks)(const float* a, std::int64_t a_block, std::int64_t rows, std::int64_t channels, const float* plus,
                      graph::Activation activation, const float* seen, float* out);
};
[[nodiscard]] BlockKernels block_kernels(Target target);

}  // namespace fovea::cpu
