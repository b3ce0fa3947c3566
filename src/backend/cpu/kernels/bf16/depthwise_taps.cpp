// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/depthwise_taps.h"

#include <algorithm>

#include "backend/cpu/kernels/bf16/products.h"
#include "backend/cpu/kernels/depthwise.h"

namespace fovea::cpu::bf16 {
namespace {

constexpr std::int64_t kMostColumns = 5;  ///< of a window

/// Taps of 16 channels of a half of a block side by side.
class TapPacker {
 public:
  TapPacker(const DepthwiseTaps& taps, const float* wd, std::int64_t block)
      : width_(taps.window.kernel_w), taps_(std::int64_t{taps.window.kernel_h} * taps.window.kernel_w) {
    const std::int64_t first = block * kBlock, count = std::min(kBlock, taps.channels - first);
    round(wd + first * taps_, count * taps_, rounded_);
    std::fill(rounded_ + count * taps_, rounded_ + kBlock * taps_, Bf16{0});
  }
  /// Pairs of taps first and second, or zeros where there is no such tap, of kernel row `r`.
  Bf16* put(int half, int r, int first, int second, Bf16* to) const {
    for (std::int64_t lane = 0; lane < 16; ++lane) {
      const Bf16* const row = rounded_ + (2 * lane + half) * taps_ + std::int64_t{r} * width_;
      *to++ = is_tap(first) ? row[first] : Bf16{0};
      *to++ = is_tap(second) ? row[second] : Bf16{0};
    }
    return to;
  }

 private:
  [[nodiscard]] bool is_tap(int s) const { return s >= 0 && s < width_; }

  int width_;
  std::int64_t taps_;
  Bf16 rounded_[kBlock * kMaxDepthwiseRows * kMostColumns];  ///< (channel, R, S)
};

}  // namespace

std::int64_t DepthwiseTaps::forward_numbers() const { return 2 * backward_numbers(); }
std::int64_t DepthwiseTaps::backward_numbers() const {
  return 2 * blocks_of(channels) * window.kernel_h * slots_of(window.kernel_w) * kPairNumbers;
}

void DepthwiseTaps::pack_forward(const float* wd, std::int64_t block, Bf16* packed) const {
  const TapPacker packer(*this, wd, block);
  packed += block * forward_numbers() / blocks_of(channels);
  for (int half = 0; half < 2; ++half) {
    for (int r = 0; r < window.kernel_h; ++r) {
      for (int begin = 0; begin < 2; ++begin) {
        for (int i = 0; i < slots_of(window.kernel_w); ++i)
          packed = packer.put(half, r, 2 * i - begin, 2 * i - begin + 1, packed);
      }
    }
  }
}

void DepthwiseTaps::pack_backward(const float* wd, std::int64_t block, Bf16* packed) const {
  const TapPacker packer(*this, wd, block);
  packed += block * backward_numbers() / blocks_of(channels);
  const int stride = window.stride;
  for (int half = 0; half < 2; ++half) {
    for (int r = 0; r < window.kernel_h; ++r) {
      for (int j = 0; j < stride; ++j) {
        const int last = last_tap(window.kernel_w, stride, window.pad.left, j);
        const int slots = slots_of(window.kernel_w, stride, window.pad.left, j).count;
        for (int i = 0; i < slots; ++i) packed = packer.put(half, r, last - 2 * i * stride, last - (2 * i + 1) * stride, packed);
      }
    }
  }
}

}  // namespace fovea::cpu::bf16
