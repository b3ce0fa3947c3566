// Fovea: which source samples make an output sample of a resize, and with what weights; one axis.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "image/resize.h"

namespace fovea {

/// Weights are integers that sum to about 1 << kWeightBits: 32 bits less 8 of the pixel and 2 of headroom, since the lobes
/// of a cubic let sums leave 0..255.
inline constexpr int kWeightBits = 22;

/// For each output sample, `count` source samples from `first` on.
struct ResampleWeights {
  struct Span {
    int first = 0;
    int count = 0;
  };
  int stride = 0;                    ///< distance of the weights of two neighbours in `values`; unused ones are 0
  std::vector<Span> spans;           ///< one per output sample
  std::vector<std::int32_t> values;  ///< (spans.size(), stride)

  [[nodiscard]] const std::int32_t* of(int output) const {
    return values.data() + static_cast<std::size_t>(output) * static_cast<std::size_t>(stride);
  }
};

/// Outputs [first, first + count) of `outputs` that sample the part [begin, end) of `inputs` samples.
[[nodiscard]] ResampleWeights resample_weights(int inputs, double begin, double end, int outputs, Filter filter, int first,
                                               int count);

/// The source samples that any output needs; the spans are then counted from the first of them.
ResampleWeights::Span localize(ResampleWeights& weights);

}  // namespace fovea
