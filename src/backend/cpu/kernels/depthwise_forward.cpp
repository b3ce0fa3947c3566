// SPDX-License-Identifier: Apache-2.0
//
// A block of kColumns outputs shares its loads of x and w; channels run innermost, so all memory is walked in order.
#include "backend/cpu/kernels/depthwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/depthwise_forward.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

constexpr int kColumns = 4;

/// One row of y: which rows of x it sees, and where the vectors lie.
struct Row {
  const float* x;  ///< the first row seen
  const float* w;  ///< the kernel row that falls on it
  const float* b;  ///< may be null
  float* y;
  int taps;  ///< kernel rows that fall on rows of x
  std::int64_t width, out_width, channels;
  std::int64_t left;
  Activation activation;
  bool stream;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE void activate_columns(D d, Activation activation, V (&sum)[kColumns]) {
  if (activation == Activation::kNone) return;
  if (activation == Activation::kSilu) {
    for (V& each : sum) each = activate<Activation::kSilu>(d, each);
    return;
  }
  const V top = hn::Set(d, activation == Activation::kRelu6 ? 6.0F : hwy::HighestValue<float>());
  HWY_UNROLL(kColumns)
  for (V& each : sum) each = hn::Min(hn::Max(each, hn::Zero(d)), top);
}

/// kColumns outputs from column `first` on. At an edge, columns of x outside the image read as zero and columns of y beyond it
/// are not written.
template <int kTaps, int kStride, bool kEdge>
HWY_INLINE void block(const Row& row, std::int64_t first) {
  constexpr int kSeen = (kColumns - 1) * kStride + kTaps;
  const std::int64_t x_first = first * kStride - row.left;
  const std::int64_t channels = row.channels;
  for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
    using V = hn::Vec<decltype(d)>;
    V sum[kColumns];
    const V bias = row.b != nullptr ? hn::LoadU(d, row.b + c) : hn::Zero(d);
    HWY_UNROLL(kColumns)
    for (int j = 0; j < kColumns; ++j) sum[j] = bias;
    for (int r = 0; r < row.taps; ++r) {
      const float* x = row.x + (r * row.width + x_first) * channels + c;
      const float* w = row.w + static_cast<std::int64_t>(r) * kTaps * channels + c;
      V seen[kSeen];
      HWY_UNROLL(16)
      for (int i = 0; i < kSeen; ++i) {
        const bool inside = !kEdge || (x_first + i >= 0 && x_first + i < row.width);
        seen[i] = inside ? hn::LoadU(d, x + i * channels) : hn::Zero(d);
      }
      HWY_UNROLL(8)
      for (int s = 0; s < kTaps; ++s) {
        const V weight = hn::LoadU(d, w + s * channels);
        HWY_UNROLL(kColumns)
        for (int j = 0; j < kColumns; ++j) sum[j] = hn::MulAdd(seen[j * kStride + s], weight, sum[j]);
      }
    }
    activate_columns(d, row.activation, sum);
    HWY_UNROLL(kColumns)
    for (int j = 0; j < kColumns; ++j) {
      if (kEdge && first + j >= row.out_width) break;
      store(sum[j], d, row.y + (first + j) * channels + c, row.stream);
    }
  });
}

template <int kTaps, int kStride>
HWY_INLINE void one_row(const Row& row) {
  constexpr int kSeen = (kColumns - 1) * kStride + kTaps;
  for (std::int64_t first = 0; first < row.out_width; first += kColumns) {
    const std::int64_t x_first = first * kStride - row.left;
    const bool inner = x_first >= 0 && x_first + kSeen <= row.width && first + kColumns <= row.out_width;
    if (inner) {
      block<kTaps, kStride, false>(row, first);
    } else {
      block<kTaps, kStride, true>(row, first);
    }
  }
}

/// R x kTaps windows: the rows are counted at run time, the columns when compiling.
template <int kTaps, int kStride>
void forward(const DepthwiseShape& shape, Activation activation, const float* HWY_RESTRICT x, const float* HWY_RESTRICT w,
             const float* HWY_RESTRICT b, float* HWY_RESTRICT y, std::int64_t begin, std::int64_t end) {
  const std::int64_t x_row = shape.width * shape.channels;
  const bool stream = shape.large && can_stream(y, shape.channels);
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t n = i / shape.out_height;
    const std::int64_t top = (i % shape.out_height) * kStride - shape.window.pad.top;
    const std::int64_t first = HWY_MAX(top, std::int64_t{0});
    const std::int64_t last = HWY_MIN(top + shape.window.kernel_h, shape.height);
    one_row<kTaps, kStride>({x + (n * shape.height + first) * x_row, w + (first - top) * kTaps * shape.channels, b,
                             y + i * shape.out_width * shape.channels, static_cast<int>(last - first), shape.width,
                             shape.out_width, shape.channels, shape.window.pad.left, activation, stream});
  }
  if (stream) hwy::FlushStream();
}

}  // namespace

/// Windows that no network here uses: right, and not fast.
void depthwise_forward_any(const DepthwiseShape& shape, Activation activation, const float* HWY_RESTRICT x,
                           const float* HWY_RESTRICT w, const float* HWY_RESTRICT b, float* HWY_RESTRICT y, std::int64_t begin,
                           std::int64_t end) {
  const graph::Window& window = shape.window;
  for (std::int64_t i = begin * shape.out_width; i < end * shape.out_width; ++i) {
    const std::int64_t n = i / (shape.out_height * shape.out_width);
    const std::int64_t top = i / shape.out_width % shape.out_height * window.stride - window.pad.top;
    const std::int64_t left = i % shape.out_width * window.stride - window.pad.left;
    for_lanes(shape.channels, [&](auto d, std::int64_t c) HWY_ATTR {
      auto sum = b != nullptr ? hn::LoadU(d, b + c) : hn::Zero(d);
      for (int r = 0; r < window.kernel_h; ++r) {
        for (int s = 0; s < window.kernel_w; ++s) {
          if (top + r < 0 || top + r >= shape.height || left + s < 0 || left + s >= shape.width) continue;
          const auto seen = hn::LoadU(d, x + ((n * shape.height + top + r) * shape.width + left + s) * shape.channels + c);
          sum = hn::MulAdd(seen, hn::LoadU(d, w + (r * window.kernel_w + s) * shape.channels + c), sum);
        }
      }
      hn::StoreU(activate_by(d, activation, sum), d, y + i * shape.channels + c);
    });
  }
}

#define FOVEA_DEPTHWISE_FORWARD(TAPS, STRIDE)                                                                                  \
  void depthwise_forward_##TAPS##x##STRIDE(const DepthwiseShape& shape, Activation activation, const float* x, const float* w, \
                                           const float* b, float* y, std::int64_t begin, std::int64_t end) {                   \
    forward<TAPS, STRIDE>(shape, activation, x, w, b, y, begin, end);                                                          \
  }
FOVEA_DEPTHWISE_FORWARD(3, 1)
FOVEA_DEPTHWISE_FORWARD(3, 2)
FOVEA_DEPTHWISE_FORWARD(5, 1)
FOVEA_DEPTHWISE_FORWARD(5, 2)

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(depthwise_forward_3x1);
FOVEA_VERSIONS(depthwise_forward_3x2);
FOVEA_VERSIONS(depthwise_forward_5x1);
FOVEA_VERSIONS(depthwise_forward_5x2);
FOVEA_VERSIONS(depthwise_forward_any);

DepthwiseForward* depthwise_forward(Target target, const graph::Window& window) {
  const bool once = window.stride == 1;
  if (window.stride <= 2 && window.kernel_w == 3) {
    return once ? FOVEA_VERSION(depthwise_forward_3x1, target) : FOVEA_VERSION(depthwise_forward_3x2, target);
  }
  if (window.stride <= 2 && window.kernel_w == 5) {
    return once ? FOVEA_VERSION(depthwise_forward_5x1, target) : FOVEA_VERSION(depthwise_forward_5x2, target);
  }
  return FOVEA_VERSION(depthwise_forward_any, target);
}

}  // namespace fovea::cpu
#endif
