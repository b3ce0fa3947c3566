// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/live_frame.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/kernels/bf16/live_norm.h"
#include "core/parallel.h"

namespace fovea::cpu::block {
LiveNorm::LiveNorm(std::int64_t channels, Pieces& pieces) {
  const std::int64_t size = padded(channels);
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
  for (float* vector : {mean, scale, shift, inverse}) std::fill(vector + channels, vector + padded(channels), 0.0F);
}

LiveExpansion::LiveExpansion(const Geometry& g, const InputMoments& moments, Pieces& pieces)
    : norm(g.op.expands ? g.inner : 0, pieces) {
  if (!g.op.expands) return;
  x_mean = pieces.take<double>(g.in);
  centre = pieces.take<float>(g.in);
  x_covariance = pieces.take<double>(g.in * g.in);
  w_covariance = pieces.take<float>(g.inner * g.in);
  weights = pieces.take<float>(g.inner * g.in);
  bias = pieces.take<float>(padded(g.inner));
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

PartSums::PartSums(std::size_t count, std::int64_t channels, Pieces& pieces)
    : parts(count),
      pitch(channels),
      part_bytes(ChannelSums(channels, nullptr).bytes),
      memory(pieces.take<std::byte>(static_cast<std::int64_t>(count * part_bytes))) {}

ChannelSums PartSums::of(std::size_t part) const { return {pitch, memory + part * part_bytes}; }

ChannelSums PartSums::total() const {
  const ChannelSums all = of(0);
  for (std::size_t part = 1; part < parts; ++part) {
    const ChannelSums more = of(part);
    for (std::int64_t c = 0; c < pitch; ++c) all.sum[c] += more.sum[c];
    for (std::int64_t c = 0; c < pitch; ++c) all.product[c] += more.product[c];
  }
  return all;
}

NormGradient::NormGradient(std::int64_t channels, Pieces& pieces)
    : mean(pieces.take<float>(padded(channels))), product(pieces.take<float>(padded(channels))) {}

void NormGradient::set(std::int64_t channels, const PartSums& sums, std::int64_t count, const float* inverse, float* dgamma,
                       float* dbeta) const {
  for (float* vector : {mean, product}) std::fill_n(vector, padded(channels), 0.0F);
  const ChannelSums all = sums.total();
  for (std::int64_t c = 0; c < channels; ++c) {
    const double gradients = all.sum[c], products = all.product[c];
    const auto by = static_cast<double>(inverse[c]), positions = static_cast<double>(count);
    dgamma[c] = static_cast<float>(products * by);
    dbeta[c] = static_cast<float>(gradients);
    mean[c] = static_cast<float>(gradients / positions);
    product[c] = static_cast<float>(products * by * by / positions);
  }
}

LiveFrame::LiveFrame(const Setup& setup, const graph::InvertedResidualTrain& operation,
                     std::int64_t (*row_bytes)(const Geometry&))
    : context(setup.context),
      team(setup.context),
      op(operation),
      g(setup, operation),
      parts(g.parts_with_sums()),
      rows(band_rows(parts, row_bytes(g))),
      rings(g, parts, rows, op.precision == graph::Precision::kBF16 ? Spacing::kPairs : Spacing::kSingle),
      norms(block_norm_kernels(setup.target)),
      moments(setup.context, setup.target, x_positions(), g.in, rounds() ? bf16::centre_rounded : norms.centre),
      variances(product_variances(setup.target)) {
  team.threads = std::min(team.threads, static_cast<int>(parts.size()));
}

void LiveFrame::find_expansion(const Arguments& a, const LiveExpansion& to, float* me, float* se) const {
  const float* plain = a.inputs[1].f32();
  moments.run(a.inputs[0].f32(), to.scratch, to.x_mean, to.x_covariance);
  for (std::int64_t c = 0; c < g.in; ++c) to.centre[c] = static_cast<float>(to.x_mean[c]);
  parallel_ranges(context, g.inner, 16, [&](Range r) {
    const std::int64_t at = r.begin * g.in;
    if (rounds()) bf16::round_floats(plain + at, r.size() * g.in, to.weights + at);
    const float* we = rounds() ? to.weights : plain;
    variances(we + at, r.size(), g.in, to.x_covariance, to.w_covariance + at, se + r.begin);
    for (std::int64_t e = r.begin; e < r.end; ++e) {
      double mean = 0;
      for (std::int64_t c = 0; c < g.in; ++c) mean += static_cast<double>(we[e * g.in + c]) * to.x_mean[c];
      me[e] = static_cast<float>(mean);
    }
  });
  to.norm.set(g.inner, a.inputs[2].f32(), a.inputs[3].f32(), me, se, op.eps);
  for (std::int64_t e = 0; e < g.inner; ++e) {
    for (std::int64_t c = 0; c < g.in && !rounds(); ++c) to.weights[e * g.in + c] = plain[e * g.in + c] * to.norm.scale[e];
    to.bias[e] = to.norm.shift[e] - to.norm.scale[e] * me[e];
  }
  std::fill(to.bias + g.inner, to.bias + padded(g.inner), 0.0F);
}

}  // namespace fovea::cpu::block
