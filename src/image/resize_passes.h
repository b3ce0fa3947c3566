// Fovea: the two passes of a resize.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/resample_weights.h"

namespace fovea {

/// One row of RGB pixels of `width` to one of weights.spans.size() pixels.
void resample_row(const std::uint8_t* source, int width, const ResampleWeights& weights, std::uint8_t* out);

/// Rows `source`, source + stride, ... (`taps` of them, `samples` bytes each) summed with `weights` to one row.
void blend_rows(const std::uint8_t* source, std::size_t stride, const std::int32_t* weights, int taps, std::size_t samples,
                std::uint8_t* out);

}  // namespace fovea
