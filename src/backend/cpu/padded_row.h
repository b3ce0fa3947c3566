// Fovea: a row of an image with zeros around it, as windows see it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace fovea::cpu {

/// Positions [first, first + count) of x (width, channels) to `to` (count, channels), by copy(from, count of numbers, to): zeros
/// for those outside of x.
template <class From, class To, class Copy>
void copy_padded_row(const From* x, std::int64_t width, std::int64_t channels, std::int64_t first, std::int64_t count, To* to,
                     const Copy& copy) {
  const std::int64_t left = std::clamp<std::int64_t>(-first, 0, count);
  const std::int64_t begin = std::clamp<std::int64_t>(first, 0, width);
  const std::int64_t inside = std::clamp<std::int64_t>(first + count, begin, width) - begin;
  std::fill_n(to, left * channels, To{0});
  copy(x + begin * channels, inside * channels, to + left * channels);
  std::fill_n(to + (left + inside) * channels, (count - left - inside) * channels, To{0});
}
inline void copy_padded_row(const float* x, std::int64_t width, std::int64_t channels, std::int64_t first, std::int64_t count,
                            float* to) {
  copy_padded_row(x, width, channels, first, count, to, std::copy_n<const float*, std::int64_t, float*>);
}

}  // namespace fovea::cpu
