// Fovea: what both passes of a block with the batch's own statistics share.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/block/geometry.h"
#include "backend/cpu/block/input_moments.h"
#include "backend/cpu/block/workspace.h"
#include "backend/cpu/kernels/block_norm.h"
#include "backend/function_kernel.h"

namespace fovea::cpu::block {

/// Of channels, up to whole blocks of any kind.
[[nodiscard]] constexpr std::int64_t padded(std::int64_t channels) { return (channels + 31) / 32 * 32; }

/// A channel's BatchNorm, padded vectors with zeros at the end: Normalisation's, and 1 / sqrt(var + eps).
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
  float* weights = nullptr;        ///< (inner, in): we times the norm's scale; or rounded, where operands are
  float* bias = nullptr;           ///< (inner), padded: what is then added to normalise
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

/// Those of all parts.
struct PartSums {
  PartSums(std::size_t count, std::int64_t pitch, Pieces& pieces);
  [[nodiscard]] ChannelSums of(std::size_t part) const;
  /// In the order of the parts; the first one takes it.
  [[nodiscard]] ChannelSums total() const;

  std::size_t parts;
  std::int64_t pitch;
  std::size_t part_bytes;
  std::byte* memory;
};

/// What a normalisation takes from its gradient g: padded vectors of the mean of g, and of that of g (x - mean) / (var + eps).
struct NormGradient {
  NormGradient(std::int64_t channels, Pieces& pieces);
  /// From sums of g and of g (x - mean) over `count` positions; also outputs dgamma and dbeta.
  void set(std::int64_t channels, const PartSums& sums, std::int64_t count, const float* inverse, float* dgamma,
           float* dbeta) const;

  float* mean;
  float* product;
};

/// A packed set of weights among the pieces, or what else knows its bytes.
template <class Weights>
[[nodiscard]] Weights take_weights(const Geometry& g, bool backward, Pieces& pieces) {
  return {g, backward, pieces.take<std::byte>(static_cast<std::int64_t>(Weights(g, backward, nullptr).bytes))};
}

struct LiveFrame {
  /// `row_bytes`: of the wide activations that belong to a row of y.
  LiveFrame(const Setup& setup, const graph::InvertedResidualTrain& op, std::int64_t (*row_bytes)(const Geometry&));

  /// Statistics of x, and of what the first convolution makes of it, to me and se (inner); what normalises at once. Of x and
  /// weights as they are rounded.
  void find_expansion(const Arguments& a, const LiveExpansion& to, float* me, float* se) const;
  [[nodiscard]] std::int64_t positions() const { return g.images * g.out_height * g.out_width; }
  [[nodiscard]] std::int64_t x_positions() const { return g.images * g.height * g.width; }
  [[nodiscard]] bool rounds() const { return op.precision == graph::Precision::kBF16; }

  Context context;
  Context team;  ///< as many threads as there are parts, at most: each has memory of its own
  graph::InvertedResidualTrain op;
  Geometry g;
  std::vector<Range> parts;  ///< rows of y
  std::int64_t rows;         ///< of y in a band
  Rings rings;
  BlockNormKernels norms;
  InputMoments moments;
  ProductVariances* variances;
};

/// The kernel of a pass.
template <class Pass>
KernelResult make_live(std::string name, const Setup& setup, const graph::InvertedResidualTrain& op) {
  const auto pass = std::make_shared<const Pass>(setup, op);
  return make_kernel({std::move(name), 0, pass->scratch_bytes(), std::nullopt}, [pass](const Arguments& a) { pass->run(a); });
}

}  // namespace fovea::cpu::block
