// Fovea: the two passes of a resize, compiled for each instruction set; all give the same bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/vector_target.h"
#include "image/resample_weights.h"

namespace fovea {

/// Weights of the pass across in the order in which its kernel reads them. Vectors multiply 16-bit numbers in pairs, so each
/// weight is cut in two: w = high * 2^15 + low with 0 <= low < 2^15. Sums wrap modulo 2^32 and the total fits 32 bits,
/// so the result is that of 32-bit products.
struct PackedWeights {
  explicit PackedWeights(const ResampleWeights& weights);

  static constexpr int kTaps = 4;     ///< taps of a group; missing ones weigh 0
  static constexpr int kNumbers = 8;  ///< 16-bit numbers of a group: low halves of taps 0 to 3, then their high halves

  int stride = 0;  ///< groups from one output to the next
  std::vector<ResampleWeights::Span> spans;
  std::vector<std::int16_t> values;  ///< (spans.size(), stride, kNumbers)
};

/// `rows` rows of `width` RGB pixels, `stride` bytes apart, each to a row of spans.size() pixels.
void resample_rows(const std::uint8_t* source, std::size_t stride, int width, int rows, const PackedWeights& weights,
                   std::uint8_t* out, const VectorTarget& target = VectorTarget::best());

/// `taps` rows of `samples` bytes, `stride` bytes apart, summed with `weights` to one row.
void blend_rows(const std::uint8_t* source, std::size_t stride, const std::int32_t* weights, int taps, std::size_t samples,
                std::uint8_t* out, const VectorTarget& target = VectorTarget::best());

/// `pairs` pairs of pixels: each its own sample of `first`, both the pair's sample of `second` and of `third`.
void interleave_pairs(const std::uint8_t* first, const std::uint8_t* second, const std::uint8_t* third, std::size_t pairs,
                      std::uint8_t* out, const VectorTarget& target = VectorTarget::best());

}  // namespace fovea
