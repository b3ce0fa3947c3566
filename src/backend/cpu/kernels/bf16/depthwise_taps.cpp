// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/depthwise_taps.h"

#include "backend/cpu/kernels/bf16/products.h"
#include "core/dtype.h"

namespace fovea::cpu::bf16 {
namespace {

/// Taps of 16 channels of a half side by side.
struct TapPacker {
  const graph::Window& window;
  std::int64_t channels;
  const float* wd;

  [[nodiscard]] Bf16 number(std::int64_t channel, int r, int s) const {
    const bool there = channel < channels && s >= 0 && s < window.kernel_w;
    return there ? f32_to_bf16(wd[(channel * window.kernel_h + r) * window.kernel_w + s]) : Bf16{0};
  }
  Bf16* put(std::int64_t half, int r, int first, int second, Bf16* to) const {
    for (std::int64_t lane = 0; lane < 16; ++lane) {
      const std::int64_t channel = half / 2 * kBlock + 2 * lane + half % 2;
      *to++ = number(channel, r, first);
      *to++ = number(channel, r, second);
    }
    return to;
  }
};

}  // namespace

std::int64_t DepthwiseTaps::forward_numbers() const { return 2 * backward_numbers(); }
std::int64_t DepthwiseTaps::backward_numbers() const {
  return 2 * blocks_of(channels) * window.kernel_h * slots_of(window.kernel_w) * kPairNumbers;
}

void DepthwiseTaps::pack_forward(const float* wd, Bf16* packed) const {
  const TapPacker packer{window, channels, wd};
  for (std::int64_t half = 0; half < 2 * blocks_of(channels); ++half) {
    for (int r = 0; r < window.kernel_h; ++r) {
      for (int begin = 0; begin < 2; ++begin) {
        for (int i = 0; i < slots_of(window.kernel_w); ++i)
          packed = packer.put(half, r, 2 * i - begin, 2 * i - begin + 1, packed);
      }
    }
  }
}

void DepthwiseTaps::pack_backward(const float* wd, Bf16* packed) const {
  const TapPacker packer{window, channels, wd};
  const int stride = window.stride;
  for (std::int64_t half = 0; half < 2 * blocks_of(channels); ++half) {
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
