// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/live_frame.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

namespace fovea::cpu::block {
namespace {

/// Bytes of the wide activations that belong to a row of y.
std::int64_t bytes_of_row(const Geometry& g, bool backward) {
  const std::int64_t floats = g.op.window.stride * g.width + g.out_width;
  return (backward ? 2 : 1) * floats * g.inner * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

LiveNorm::LiveNorm(std::int64_t channels, Pieces& pieces) {
  const std::int64_t size = blocks_of(channels) * kBlockChannels;
  for (float** vector : {&mean, &scale, &shift, &inverse}) *vector = pieces.take<float>(size);
}

void LiveNorm::set(std::int64_t channels, const float* gamma, const float* beta, const float* from_mean, const float* var,
                   float eps) const {
  for (std::int64_t c = 0; c < channels; ++c) {
    mean[c] = from_mean[c];
    inverse[c] = 1.0F / std::sqrt(var[c] + eps);
    scale[c] = gamma[c] * inverse[c];
    shift[c] = beta[c];
  }
  const std::int64_t size = blocks_of(channels) * kBlockChannels;
  for (float* vector : {mean, scale, shift, inverse}) std::fill(vector + channels, vector + size, 0.0F);
}

LiveExpansion::LiveExpansion(const Geometry& g, const InputMoments& moments, Pieces& pieces)
    : norm(g.op.expands ? g.inner : 0, pieces) {
  if (!g.op.expands) return;
  x_mean = pieces.take<double>(g.in);
  centre = pieces.take<float>(g.in);
  x_covariance = pieces.take<double>(g.in * g.in);
  w_covariance = pieces.take<float>(g.inner * g.in);
  weights = pieces.take<float>(g.inner * g.in);
  bias = pieces.take<float>(g.inner);
  scratch = pieces.take<std::byte>(static_cast<std::int64_t>(moments.scratch_bytes()));
}

ChannelSums::ChannelSums(std::int64_t channels, std::byte* memory) : pitch(channels) {
  Pieces pieces(memory);
  band_sum = pieces.take<float>(pitch);
  band_product = pieces.take<float>(pitch);
  sum = pieces.take<double>(pitch);
  product = pieces.take<double>(pitch);
  bytes = pieces.bytes();
}

void ChannelSums::begin() const {
  for (double* sums : {sum, product}) std::fill_n(sums, pitch, 0.0);
}

void ChannelSums::begin_band() const {
  for (float* sums : {band_sum, band_product}) std::fill_n(sums, pitch, 0.0F);
}

void ChannelSums::end_band(const BlockNormKernels& norms) const {
  norms.grow(band_sum, pitch, sum);
  norms.grow(band_product, pitch, product);
}

LiveFrame::LiveFrame(const Setup& setup, const graph::InvertedResidualTrain& operation, bool backward)
    : context(setup.context),
      team(setup.context),
      op(operation),
      g(setup, operation),
      parts(g.parts_with_sums()),
      rows(band_rows(parts, bytes_of_row(g, backward))),
      rings(g, parts, rows),
      bands(setup.target, op.window),
      products(block_kernels(setup.target)),
      norms(block_norm_kernels(setup.target)),
      moments(setup.context, setup.target, g.images * g.height * g.width, g.in),
      variances(product_variances(setup.target)) {
  team.threads = std::min(team.threads, static_cast<int>(parts.size()));
}

void LiveFrame::find_expansion(const Arguments& a, const LiveExpansion& to, float* me, float* se) const {
  const float* we = a.inputs[1].f32();
  moments.run(a.inputs[0].f32(), to.scratch, to.x_mean, to.x_covariance);
  for (std::int64_t c = 0; c < g.in; ++c) to.centre[c] = static_cast<float>(to.x_mean[c]);
  parallel_ranges(context, g.inner, 16, [&](Range r) {
    const std::int64_t at = r.begin * g.in;
    variances(we + at, r.size(), g.in, to.x_covariance, to.w_covariance + at, se + r.begin);
    for (std::int64_t e = r.begin; e < r.end; ++e) {
      double mean = 0;
      for (std::int64_t c = 0; c < g.in; ++c) mean += static_cast<double>(we[e * g.in + c]) * to.x_mean[c];
      me[e] = static_cast<float>(mean);
    }
  });
  to.norm.set(g.inner, a.inputs[2].f32(), a.inputs[3].f32(), me, se, op.eps);
  for (std::int64_t e = 0; e < g.inner; ++e) {
    for (std::int64_t c = 0; c < g.in; ++c) to.weights[e * g.in + c] = we[e * g.in + c] * to.norm.scale[e];
    to.bias[e] = to.norm.shift[e] - to.norm.scale[e] * me[e];
  }
}

}  // namespace fovea::cpu::block
