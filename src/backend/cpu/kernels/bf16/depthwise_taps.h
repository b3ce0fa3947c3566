// Fovea: weights of a depthwise convolution by pairs of taps, as its bf16 kernels read them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/bf16/round.h"
#include "graph/ops.h"

namespace fovea::cpu::bf16 {

inline constexpr std::int64_t kPairNumbers = 32;  ///< a pair of positions, or of taps, of 16 channels
/// Pairs that cover so many taps.
constexpr int slots_of(int taps) { return (taps + 1) / 2; }

/// Through tap s column j of x meets column (j + left - s) / stride of the gradient, where that divides: in a window of `taps`
/// columns, whose taps for j are last_tap, last_tap - stride, ...
constexpr int last_tap(int taps, int stride, int left, int j) {
  return taps - 1 - (stride == 2 && (j + left - (taps - 1)) % 2 != 0 ? 1 : 0);
}
/// The pairs of taps of column j among those of a kernel row.
struct Slots {
  int first, count;
};
constexpr Slots slots_of(int taps, int stride, int left, int j) {
  const auto count = [&](int column) { return slots_of(last_tap(taps, stride, left, column) / stride + 1); };
  return {stride == 2 && j % 2 != 0 ? count(0) : 0, count(j)};
}

/// Weights wd (channels, 1, R, S) as pairs of taps, (half, R, kind, slot, 16 channels, 2), zeros beyond the last tap and channel.
/// Forward there is a kind for windows that begin at a pair's first position, and one for those that begin at its second;
/// backward one for each column of x modulo the stride, with as many slots as it meets pairs.
struct DepthwiseTaps {
  graph::Window window;
  std::int64_t channels;

  [[nodiscard]] std::int64_t forward_numbers() const;
  [[nodiscard]] std::int64_t backward_numbers() const;
  /// A block of 32 channels, to its place in `packed`.
  void pack_forward(const float* wd, std::int64_t block, Bf16* packed) const;
  void pack_backward(const float* wd, std::int64_t block, Bf16* packed) const;
};

}  // namespace fovea::cpu::bf16
