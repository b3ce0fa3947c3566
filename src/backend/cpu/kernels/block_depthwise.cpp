// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/block_depthwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/block_depthwise.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

using V = hn::Vec<Full>;
constexpr std::int64_t kLanes = HWY_LANES(float);
constexpr int kColumns = static_cast<int>(kDepthwiseColumns);

/// Columns [first, first + count) of y.
template <int kTaps, int kStride>
HWY_INLINE void forward_columns(const BlockDepthwiseRow& row, const float* const* HWY_RESTRICT rows, const float* HWY_RESTRICT w,
                                V bias, V low, V high, float* HWY_RESTRICT y, std::int64_t first, int count) {
  constexpr int kSeen = (kColumns - 1) * kStride + kTaps;
  const Full d;
  V sum[kColumns];
  HWY_UNROLL(kColumns)
  for (V& each : sum) each = bias;
  for (int r = 0; r < row.kernel_h; ++r) {
    const float* x = rows[r] + first * kStride * kBlockChannels;
    V seen[kSeen];
    HWY_UNROLL(16)
    for (int i = 0; i < kSeen; ++i) seen[i] = hn::Load(d, x + i * kBlockChannels);
    HWY_UNROLL(8)
    for (int s = 0; s < kTaps; ++s) {
      const V weight = hn::Load(d, w + (r * kTaps + s) * kBlockChannels);
      HWY_UNROLL(kColumns)
      for (int j = 0; j < kColumns; ++j) sum[j] = hn::MulAdd(seen[j * kStride + s], weight, sum[j]);
    }
  }
  HWY_UNROLL(kColumns)
  for (int j = 0; j < kColumns; ++j) {
    if (j >= count) break;
    hn::Store(hn::Min(hn::Max(sum[j], low), high), d, y + (first + j) * kBlockChannels);
  }
}

template <int kTaps, int kStride>
HWY_INLINE void forward_row(const BlockDepthwiseRow& row) {
  const Full d;
  const V low = hn::Set(d, row.activation == Activation::kNone ? hwy::LowestValue<float>() : 0.0F);
  const V high = hn::Set(d, row.activation == Activation::kRelu6 ? 6.0F : hwy::HighestValue<float>());
  for (std::int64_t block = 0; block < row.blocks; ++block) {
    for (std::int64_t lane = 0; lane < kBlockChannels; lane += kLanes) {
      const float* rows[kMaxDepthwiseRows];
      for (int r = 0; r < row.kernel_h; ++r) rows[r] = row.x[r] + block * row.x_block + lane;
      const float* w = row.w + block * row.kernel_h * kTaps * kBlockChannels + lane;
      const V bias = hn::Load(d, row.b + block * kBlockChannels + lane);
      float* y = row.y + block * row.y_block + lane;
      std::int64_t first = 0;
      for (; first + kColumns <= row.out_width; first += kColumns)
        forward_columns<kTaps, kStride>(row, rows, w, bias, low, high, y, first, kColumns);
      if (first < row.out_width)
        forward_columns<kTaps, kStride>(row, rows, w, bias, low, high, y, first, static_cast<int>(row.out_width - first));
    }
  }
}

constexpr int floor_half(int a) { return a >= 0 ? a / 2 : -((1 - a) / 2); }
/// Columns of the gradient from the one that position 0 of a group meets through tap 0, for position j and tap s.
template <int kStride, int kPhase>
constexpr int column_of(int offset) {
  return kStride == 1 ? offset : floor_half(offset + kPhase);
}

/// Columns [first, first + count) of x, `first` a multiple of kColumns. kPhase: left padding modulo the stride.
template <int kTaps, int kStride, int kPhase, class Sum>
HWY_INLINE V backward_columns(const BlockDepthwiseBackwardRow& row, std::int64_t lane, std::int64_t block, const float* w,
                              const Sum& add_sum, std::int64_t first, int count, V db) {
  constexpr int kLow = column_of<kStride, kPhase>(-(kTaps - 1));
  constexpr int kSeen = column_of<kStride, kPhase>(kColumns - 1) - kLow + 1;
  const Full d;
  const std::int64_t g_first = (first + row.left - kPhase) / kStride + kLow;
  const float* x_at = row.x + block * row.x_block + first * kBlockChannels + lane;
  V x[kColumns];
  V dx[kColumns];
  HWY_UNROLL(kColumns)
  for (int j = 0; j < kColumns; ++j) {
    x[j] = hn::Load(d, x_at + j * kBlockChannels);
    dx[j] = hn::Zero(d);
  }
  for (int k = 0; k < row.count; ++k) {
    const float* g = row.g[k] + block * row.g_block + g_first * kBlockChannels + lane;
    V seen[kSeen];
    HWY_UNROLL(8)
    for (int i = 0; i < kSeen; ++i) seen[i] = hn::Load(d, g + i * kBlockChannels);
    HWY_UNROLL(8)
    for (int s = 0; s < kTaps; ++s) {
      const int tap = row.tap[k] * kTaps + s;
      const V weight = hn::Load(d, w + tap * kBlockChannels);
      V more = hn::Zero(d);
      HWY_UNROLL(kColumns)
      for (int j = 0; j < kColumns; ++j) {
        if ((j + kPhase + kTaps * kStride - s) % kStride != 0) continue;
        const V gradient = seen[column_of<kStride, kPhase>(j - s) - kLow];
        dx[j] = hn::MulAdd(weight, gradient, dx[j]);
        more = hn::MulAdd(x[j], gradient, more);
      }
      add_sum(tap, more);
    }
  }
  float* out = row.dx + block * row.dx_block + first * kBlockChannels + lane;
  HWY_UNROLL(kColumns)
  for (int j = 0; j < kColumns; ++j) {
    if (j >= count) break;
    const V gradient = through_slope_by(d, row.activation, x[j], dx[j]);
    hn::Store(gradient, d, out + j * kBlockChannels);
    db = hn::Add(db, gradient);
  }
  return db;
}

template <int kTaps, int kStride, int kPhase>
HWY_INLINE void backward_row(const BlockDepthwiseBackwardRow& row) {
  const Full d;
  for (std::int64_t block = 0; block < row.blocks; ++block) {
    for (std::int64_t lane = 0; lane < kBlockChannels; lane += kLanes) {
      const std::int64_t taps = block * row.kernel_h * kTaps * kBlockChannels + lane;
      float* const dw = row.dw + taps;
      const auto add_sum = [&](int tap, V more) HWY_ATTR {
        hn::Store(hn::Add(hn::Load(d, dw + tap * kBlockChannels), more), d, dw + tap * kBlockChannels);
      };
      float* const db_at = row.db + block * kBlockChannels + lane;
      V db = hn::Load(d, db_at);
      std::int64_t first = 0;
      for (; first + kColumns <= row.width; first += kColumns)
        db = backward_columns<kTaps, kStride, kPhase>(row, lane, block, row.w + taps, add_sum, first, kColumns, db);
      if (first < row.width) {
        db = backward_columns<kTaps, kStride, kPhase>(row, lane, block, row.w + taps, add_sum, first,
                                                      static_cast<int>(row.width - first), db);
      }
      hn::Store(db, d, db_at);
    }
  }
}

template <int kTaps, int kStride>
HWY_INLINE void backward_row_by_phase(const BlockDepthwiseBackwardRow& row) {
  if (kStride == 1 || row.left % 2 == 0) {
    backward_row<kTaps, kStride, 0>(row);
  } else {
    backward_row<kTaps, kStride, kStride - 1>(row);
  }
}

}  // namespace

#define FOVEA_BLOCK_DEPTHWISE(TAPS, STRIDE)                                                                \
  void block_depthwise_##TAPS##x##STRIDE(const BlockDepthwiseRow& row) { forward_row<TAPS, STRIDE>(row); } \
  void block_depthwise_backward_##TAPS##x##STRIDE(const BlockDepthwiseBackwardRow& row) {                  \
    backward_row_by_phase<TAPS, STRIDE>(row);                                                              \
  }
FOVEA_BLOCK_DEPTHWISE(3, 1)
FOVEA_BLOCK_DEPTHWISE(3, 2)
FOVEA_BLOCK_DEPTHWISE(5, 1)
FOVEA_BLOCK_DEPTHWISE(5, 2)

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(block_depthwise_3x1);
FOVEA_VERSIONS(block_depthwise_3x2);
FOVEA_VERSIONS(block_depthwise_5x1);
FOVEA_VERSIONS(block_depthwise_5x2);
FOVEA_VERSIONS(block_depthwise_backward_3x1);
FOVEA_VERSIONS(block_depthwise_backward_3x2);
FOVEA_VERSIONS(block_depthwise_backward_5x1);
FOVEA_VERSIONS(block_depthwise_backward_5x2);

BlockDepthwise* block_depthwise(Target target, const graph::Window& window) {
  if (window.kernel_w == 3) {
    return window.stride == 1 ? FOVEA_VERSION(block_depthwise_3x1, target) : FOVEA_VERSION(block_depthwise_3x2, target);
  }
  return window.stride == 1 ? FOVEA_VERSION(block_depthwise_5x1, target) : FOVEA_VERSION(block_depthwise_5x2, target);
}

BlockDepthwiseBackward* block_depthwise_backward(Target target, const graph::Window& window) {
  if (window.kernel_w == 3) {
    return window.stride == 1 ? FOVEA_VERSION(block_depthwise_backward_3x1, target)
                              : FOVEA_VERSION(block_depthwise_backward_3x2, target);
  }
  return window.stride == 1 ? FOVEA_VERSION(block_depthwise_backward_5x1, target)
                            : FOVEA_VERSION(block_depthwise_backward_5x2, target);
}

}  // namespace fovea::cpu
#endif
