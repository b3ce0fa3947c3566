// Fovea: a row of an image with zeros around it, as windows see it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace fovea::cpu {

/// Positions [first, first + count) of x (width, channels) to `to` (count, channels): zeros for those outside of x.
inline void copy_padded_row(const float* x, std::int64_t width, std::int64_t channels, std::int64_t first, std::int64_t count,
                            float* to) {
  const std::int64_t left = std::clamp<std::int64_t>(-first, 0, count);
  const std::int64_t begin = std::clamp<std::int64_t>(first, 0, width);
  const std::int64_t inside = std::clamp<std::int64_t>(first + count, begin, width) - begin;
  to = std::fill_n(to, left * channels, 0.0F);
  to = std::copy_n(x + begin * channels, inside * channels, to);
  std::fill_n(to, (count - left - inside) * channels, 0.0F);
}

}  // namespace fovea::cpu
