// Fovea: what both passes of a block with the batch's own statistics share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/cpu/block/f32_bands.h"
#include "backend/cpu/block/input_moments.h"
#include "backend/cpu/kernels/elementwise.h"

namespace fovea::cpu::block {

/// A channel's BatchNorm, vectors with zeros up to whole blocks: Normalisation's, and 1 / sqrt(var + eps).
struct LiveNorm {
  LiveNorm(std::int64_t channels, Pieces& pieces);
  /// From vectors (channels).
  void set(std::int64_t channels, const float* gamma, const float* beta, const float* from_mean, const float* var,
           float eps) const;
  [[nodiscard]] Normalisation by() const { return {mean, scale, shift}; }

  float* mean;
  float* scale;
  float* shift;
  float* inverse;
};

/// The first convolution and its statistics.
struct LiveExpansion {
  LiveExpansion(const Geometry& g, const InputMoments& moments, Pieces& pieces);

  LiveNorm norm;
  double* x_mean = nullptr;        ///< (in)
  float* centre = nullptr;         ///< the same in floats
  double* x_covariance = nullptr;  ///< (in, in)
  float* w_covariance = nullptr;   ///< (inner, in): we times the covariance
  float* weights = nullptr;        ///< (inner, in): we times the norm's scale
  float* bias = nullptr;           ///< (inner)
  std::byte* scratch = nullptr;
};

/// A part's sums of a number and of a product, for each channel (`pitch` of them): in floats over a band, in doubles over the
/// bands.
struct ChannelSums {
  ChannelSums(std::int64_t pitch, std::byte* memory);
  void begin() const;
  void begin_band() const;
  void end_band(const BlockNormKernels& norms) const;

  std::int64_t pitch;
  float* band_sum;
  float* band_product;
  double* sum;
  double* product;
  std::size_t bytes;
};

[[nodiscard]] inline f32_memory::Weights take_weights(const Geometry& g, bool backward, Pieces& pieces) {
  using f32_memory::Weights;
  return {g, backward, pieces.take<std::byte>(static_cast<std::int64_t>(Weights(g, backward, nullptr).bytes))};
}

struct LiveFrame {
  LiveFrame(const Setup& setup, const graph::InvertedResidualTrain& op, bool backward);

  /// Statistics of x, and of what the first convolution makes of it, to me and se (inner); weights that normalise at once.
  void find_expansion(const Arguments& a, const LiveExpansion& to, float* me, float* se) const;
  [[nodiscard]] std::int64_t positions() const { return g.images * g.out_height * g.out_width; }
  /// Of inner channels, up to whole blocks.
  [[nodiscard]] std::int64_t pitch() const { return blocks_of(g.inner) * kBlockChannels; }

  Context context;
  Context team;  ///< as many threads as there are parts, at most: each has memory of its own
  graph::InvertedResidualTrain op;
  Geometry g;
  std::vector<Range> parts;  ///< rows of y
  std::int64_t rows;         ///< of y in a band
  Rings rings;
  F32Bands bands;
  BlockKernels products;
  BlockNormKernels norms;
  InputMoments moments;
  ProductVariances* variances;
};

}  // namespace fovea::cpu::block
