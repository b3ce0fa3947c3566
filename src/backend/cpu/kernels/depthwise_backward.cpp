// SPDX-License-Identifier: Apache-2.0
//
// One pass over x, dy and y. The gradient before the activation, g, is made row by row into a small ring with zeros around each
// row, so that a position of x finds every g it meets there. Seen from x, both results meet the same g:
//   dx[i, j]  = sum over r, s of w[r, s] g[(i + top - r) / stride, (j + left - s) / stride]   where that divides,
//   dw[r, s] += x[i, j] g[the same].
#include "backend/cpu/kernels/depthwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/depthwise_backward.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

#ifndef FOVEA_DEPTHWISE_BACKWARD_RING
#define FOVEA_DEPTHWISE_BACKWARD_RING
namespace fovea::cpu {

/// The ring of rows of g.
struct GradientRing {
  explicit GradientRing(const DepthwiseShape& shape)
      : rows((shape.window.kernel_h - 1) / shape.window.stride + 1),
        left((shape.window.kernel_w - 1) / shape.window.stride + 1),
        // The last block of columns of x may reach kColumns + stride beyond it.
        width(left + HWY_MAX(shape.out_width, (shape.width + shape.window.pad.left + 8) / shape.window.stride + 1)),
        floats(width * shape.channels) {}
  std::int64_t rows;
  std::int64_t left;    ///< zero columns before the first
  std::int64_t width;   ///< columns with the zeros
  std::int64_t floats;  ///< of one row
};

}  // namespace fovea::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

constexpr int kColumns = 4;

/// A row of x with the rows of g that it meets.
struct Row {
  const float* x;
  float* dx;
  std::int64_t width, channels, left;
  Activation input_activation;
  const float* w;
  float* dw;
  const float* g[kMaxDepthwiseRows];  ///< at column 0
  int tap[kMaxDepthwiseRows];         ///< the kernel row through which each is met
  int count;
};

constexpr int floor_half(int a) { return a >= 0 ? a / 2 : -((1 - a) / 2); }
template <int kStride>
constexpr int column_of(int offset) {
  return kStride == 1 ? offset : floor_half(offset);
}

/// kColumns positions of x from column `first` on, (first + left) a multiple of the stride.
template <int kTaps, int kStride, bool kEdge>
HWY_INLINE void block(const Row& row, std::int64_t first) {
  constexpr int kLow = column_of<kStride>(-(kTaps - 1));
  constexpr int kSeen = column_of<kStride>(kColumns - 1) - kLow + 1;
  const std::int64_t channels = row.channels;
  const std::int64_t g_first = (first + row.left) / kStride + kLow;
  for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
    using V = hn::Vec<decltype(d)>;
    V x[kColumns];
    V dx[kColumns];
    HWY_UNROLL(kColumns)
    for (int j = 0; j < kColumns; ++j) {
      const bool inside = !kEdge || (first + j >= 0 && first + j < row.width);
      x[j] = inside ? hn::LoadU(d, row.x + (first + j) * channels + c) : hn::Zero(d);
      dx[j] = hn::Zero(d);
    }
    for (int k = 0; k < row.count; ++k) {
      const float* g = row.g[k] + g_first * channels + c;
      const std::int64_t tap = static_cast<std::int64_t>(row.tap[k]) * kTaps * channels + c;
      V seen[kSeen];
      HWY_UNROLL(8)
      for (int i = 0; i < kSeen; ++i) seen[i] = hn::LoadU(d, g + i * channels);
      HWY_UNROLL(8)
      for (int s = 0; s < kTaps; ++s) {
        const V weight = hn::LoadU(d, row.w + tap + s * channels);
        V sum = hn::LoadU(d, row.dw + tap + s * channels);
        HWY_UNROLL(kColumns)
        for (int j = 0; j < kColumns; ++j) {
          if ((j - s) % kStride != 0) continue;
          const V gradient = seen[column_of<kStride>(j - s) - kLow];
          dx[j] = hn::MulAdd(weight, gradient, dx[j]);
          sum = hn::MulAdd(x[j], gradient, sum);
        }
        hn::StoreU(sum, d, row.dw + tap + s * channels);
      }
    }
    HWY_UNROLL(kColumns)
    for (int j = 0; j < kColumns; ++j) {
      if (kEdge && (first + j < 0 || first + j >= row.width)) continue;
      hn::StoreU(through_slope_by(d, row.input_activation, x[j], dx[j]), d, row.dx + (first + j) * channels + c);
    }
  });
}

template <int kTaps, int kStride>
HWY_INLINE void one_row(const Row& row) {
  for (std::int64_t first = -(row.left % kStride); first < row.width; first += kColumns) {
    if (first >= 0 && first + kColumns <= row.width) {
      block<kTaps, kStride, false>(row, first);
    } else {
      block<kTaps, kStride, true>(row, first);
    }
  }
}

/// The same for any window, column by column: right, and not fast.
void any_row(const graph::Window& window, const Row& row) {
  for (std::int64_t j = 0; j < row.width; ++j) {
    for_lanes(row.channels, [&](auto d, std::int64_t c) HWY_ATTR {
      const auto x = hn::LoadU(d, row.x + j * row.channels + c);
      auto dx = hn::Zero(d);
      for (int k = 0; k < row.count; ++k) {
        for (int s = 0; s < window.kernel_w; ++s) {
          if (j + row.left < s || (j + row.left - s) % window.stride != 0) continue;
          const std::int64_t tap = (static_cast<std::int64_t>(row.tap[k]) * window.kernel_w + s) * row.channels + c;
          const auto gradient = hn::LoadU(d, row.g[k] + (j + row.left - s) / window.stride * row.channels + c);
          dx = hn::MulAdd(hn::LoadU(d, row.w + tap), gradient, dx);
          hn::StoreU(hn::MulAdd(x, gradient, hn::LoadU(d, row.dw + tap)), d, row.dw + tap);
        }
      }
      hn::StoreU(through_slope_by(d, row.input_activation, x, dx), d, row.dx + j * row.channels + c);
    });
  }
}

/// One row of g into the ring, and, if it is this part's to count, into db.
template <Activation kActivation>
HWY_INLINE void gradient_row(const float* y, const float* dy, std::int64_t width, std::int64_t channels, float* g, float* db) {
  for (std::int64_t j = 0; j < width; ++j) {
    const std::int64_t at = j * channels;
    for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
      const auto gradient = through_slope<kActivation>(d, hn::LoadU(d, y + at + c), hn::LoadU(d, dy + at + c));
      hn::StoreU(gradient, d, g + at + c);
      if (db != nullptr) hn::StoreU(hn::Add(hn::LoadU(d, db + c), gradient), d, db + c);
    });
  }
}

void gradient_row_by(Activation activation, const float* y, const float* dy, std::int64_t width, std::int64_t channels, float* g,
                     float* db) {
  switch (activation) {
    case Activation::kRelu: return gradient_row<Activation::kRelu>(y, dy, width, channels, g, db);
    case Activation::kRelu6: return gradient_row<Activation::kRelu6>(y, dy, width, channels, g, db);
    default: return gradient_row<Activation::kNone>(y, dy, width, channels, g, db);
  }
}

void zero(float* x, std::int64_t count) {
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(hn::Zero(d), d, x + i); });
}

/// Rows of x in order. `row_kernel` does one.
template <class RowKernel>
HWY_INLINE void backward(const DepthwiseShape& shape, Activation activation, Activation input_activation,
                         const DepthwiseBackwardArguments& a, const RowKernel& row_kernel) {
  const graph::Window& window = shape.window;
  const GradientRing ring(shape);
  const std::int64_t taps = std::int64_t{window.kernel_h} * window.kernel_w;
  const std::int64_t channels = shape.channels;
  zero(a.sums, (taps + 1) * channels);
  zero(a.rows, ring.rows * ring.floats);
  std::int64_t image = -1;
  std::int64_t made = 0;  // rows of g of this image so far
  const auto make_rows = [&](std::int64_t end, std::int64_t n) HWY_ATTR {
    for (; made < end; ++made) {
      const std::int64_t row = (n * shape.out_height + made) * shape.out_width * channels;
      // A row of y belongs to the part that holds row `stride` times its number of x.
      const std::int64_t owner = n * shape.height + HWY_MIN(made * window.stride, shape.height - 1);
      float* db = owner >= a.begin && owner < a.end ? a.sums + taps * channels : nullptr;
      gradient_row_by(activation, a.y + row, a.dy + row, shape.out_width, channels,
                      a.rows + made % ring.rows * ring.floats + ring.left * channels, db);
    }
  };
  for (std::int64_t at = a.begin; at < a.end; ++at) {
    const std::int64_t n = at / shape.height;
    const std::int64_t i = at % shape.height;
    const std::int64_t stride = window.stride;
    const std::int64_t top = window.pad.top;
    if (n != image) {
      image = n;
      const std::int64_t low = HWY_MIN(i, i + top - window.kernel_h + 1);
      made = i == 0 || low <= 0 ? 0 : (low + stride - 1) / stride;
    }
    make_rows(HWY_MIN((i + top) / stride + 1, shape.out_height), n);
    Row row{a.x + at * shape.width * channels,
            a.dx + at * shape.width * channels,
            shape.width,
            channels,
            window.pad.left,
            input_activation,
            a.w,
            a.sums,
            {},
            {},
            0};
    for (int r = 0; r < window.kernel_h; ++r) {
      const std::int64_t offset = i + top - r;
      if (offset < 0 || offset % stride != 0 || offset / stride >= shape.out_height) continue;
      row.g[row.count] = a.rows + offset / stride % ring.rows * ring.floats + ring.left * channels;
      row.tap[row.count++] = r;
    }
    row_kernel(row);
    // Rows of y that see nothing but padding count for db all the same.
    if (i == shape.height - 1) make_rows(shape.out_height, n);
  }
}

}  // namespace

#define FOVEA_DEPTHWISE_BACKWARD(TAPS, STRIDE)                                                                               \
  void depthwise_backward_##TAPS##x##STRIDE(const DepthwiseShape& shape, Activation activation, Activation input_activation, \
                                            const DepthwiseBackwardArguments& arguments) {                                   \
    backward(shape, activation, input_activation, arguments, [](const Row& row) HWY_ATTR { one_row<TAPS, STRIDE>(row); });   \
  }
FOVEA_DEPTHWISE_BACKWARD(3, 1)
FOVEA_DEPTHWISE_BACKWARD(3, 2)
FOVEA_DEPTHWISE_BACKWARD(5, 1)
FOVEA_DEPTHWISE_BACKWARD(5, 2)

void depthwise_backward_any(const DepthwiseShape& shape, Activation activation, Activation input_activation,
                            const DepthwiseBackwardArguments& arguments) {
  backward(shape, activation, input_activation, arguments, [&](const Row& row) HWY_ATTR { any_row(shape.window, row); });
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(depthwise_backward_3x1);
FOVEA_VERSIONS(depthwise_backward_3x2);
FOVEA_VERSIONS(depthwise_backward_5x1);
FOVEA_VERSIONS(depthwise_backward_5x2);
FOVEA_VERSIONS(depthwise_backward_any);

std::int64_t depthwise_backward_rows(const DepthwiseShape& shape) {
  const GradientRing ring(shape);
  return ring.rows * ring.floats;
}

DepthwiseBackward* depthwise_backward(Target target, const graph::Window& window) {
  const bool once = window.stride == 1;
  if (window.stride <= 2 && window.kernel_w == 3) {
    return once ? FOVEA_VERSION(depthwise_backward_3x1, target) : FOVEA_VERSION(depthwise_backward_3x2, target);
  }
  if (window.stride <= 2 && window.kernel_w == 5) {
    return once ? FOVEA_VERSION(depthwise_backward_5x1, target) : FOVEA_VERSION(depthwise_backward_5x2, target);
  }
  return FOVEA_VERSION(depthwise_backward_any, target);
}

}  // namespace fovea::cpu
#endif
