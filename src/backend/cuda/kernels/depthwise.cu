// SPDX-License-Identifier: Apache-2.0
//
// A thread has V neighbouring channels, so that what a warp reads lies side by side. Windows of 3 and 5 with V = 4 or 2 have
// their sizes at compile time (K, S); everything else is computed by the same bodies with K = 0 and a channel a thread.
#include <cmath>

#include "backend/cuda/kernels/activation.h"
#include "backend/cuda/kernels/depthwise.h"

namespace fovea::cuda {
namespace {

/// An activation that is a clamp, and its derivative.
struct Clamp {
  float low, high;
  explicit Clamp(Activation activation)
      : low(activation == Activation::kNone ? -INFINITY : 0.0F), high(activation == Activation::kRelu6 ? 6.0F : INFINITY) {}
  FOVEA_INLINE float operator()(float x) const { return fminf(fmaxf(x, low), high); }
  FOVEA_INLINE float slope(float x) const { return x > low && x < high ? 1.0F : 0.0F; }
};

/// Neighbouring columns of y that a thread computes, so that a value of x is read once for all of them.
constexpr int kStrip = 4;

template <class T, int K, int S, int V>
struct Forward {
  Plane p;
  const T* x;
  Clamp before;
  const float* w;
  const float* b;
  Activation after;
  T* y;

  FOVEA_KERNEL void operator()(int i) const {
    const int groups = p.channels / V, strips = (p.out_width + kStrip - 1) / kStrip;
    const int c = i % groups * V;
    i /= groups;
    const int first = i % strips * kStrip;
    i /= strips;
    const int h = i % p.out_height, n = i / p.out_height;
    float sums[kStrip][V] = {};
    if (b != nullptr) {
      for (auto& sum : sums) load(b + c, sum);
    }
    const int kernel_h = K > 0 ? K : p.kernel_h;
    for (int r = 0; r < kernel_h; ++r) {
      const int row = h * (S > 0 ? S : p.stride) - p.top + r;
      if (row < 0 || row >= p.height) continue;
      along(x + (static_cast<std::int64_t>(n) * p.height + row) * p.width * p.channels + c, r, first, c, sums);
    }
    T* target = y + ((static_cast<std::int64_t>(n) * p.out_height + h) * p.out_width + first) * p.channels + c;
    FOVEA_UNROLL
    for (int t = 0; t < kStrip; ++t) {
      if (first + t >= p.out_width) break;
      for (int v = 0; v < V; ++v) sums[t][v] = activate(after, sums[t][v]);
      store(sums[t], target + static_cast<std::int64_t>(t) * p.channels);
    }
  }

  /// Adds what row `line` of x gives under kernel row r to columns first, first + 1, ... of y.
  FOVEA_KERNEL void along(const T* line, int r, int first, int c, float (&sums)[kStrip][V]) const {
    const int stride = S > 0 ? S : p.stride, kernel_w = K > 0 ? K : p.kernel_w;
    const int left = first * stride - p.left, span = (kStrip - 1) * stride + kernel_w;
    FOVEA_UNROLL
    for (int j = 0; j < span; ++j) {
      if (left + j < 0 || left + j >= p.width) continue;
      float value[V];
      load(line + static_cast<std::int64_t>(left + j) * p.channels, value);
      for (int v = 0; v < V; ++v) value[v] = before(value[v]);
      FOVEA_UNROLL
      for (int t = 0; t < kStrip; ++t) {
        const int s = j - t * stride;
        if (s < 0 || s >= kernel_w) continue;
        float weight[V];
        load(w + (r * kernel_w + s) * p.channels + c, weight);
        for (int v = 0; v < V; ++v) sums[t][v] += value[v] * weight[v];
      }
    }
  }
};

template <class T, class D, int K, int S, int V>
struct Backward {
  static constexpr int kTaps = K > 0 ? K* K : kMostTaps;
  static constexpr int kValues = 1 + kTaps, kWidth = V;
  Plane p;
  const T* x;
  Clamp before;
  const float* w;
  const T* g;
  const float* add_to;
  D* dx;

  struct Lane {
    const Backward& body;
    int c;
    float weights[kTaps][V];
    float sums[kValues * V];
    FOVEA_KERNEL Lane(const Backward& b, int column) : body(b), c(column * V), sums{} {
      for (int tap = 0; tap < (K > 0 ? kTaps : body.p.taps()); ++tap) load(body.w + tap * body.p.channels + c, weights[tap]);
    }
    /// One position of x.
    FOVEA_KERNEL void add(int item) {
      const Plane& p = body.p;
      const int j = item % p.width, line = item / p.width;
      const int i = line % p.height, n = line / p.height;
      const std::int64_t at = static_cast<std::int64_t>(item) * p.channels + c;
      float seen[V], value[V], gradient[V] = {};
      load(body.x + at, seen);
      for (int v = 0; v < V; ++v) value[v] = body.before(seen[v]);
      const int kernel_h = K > 0 ? K : p.kernel_h, kernel_w = K > 0 ? K : p.kernel_w, stride = S > 0 ? S : p.stride;
      FOVEA_UNROLL
      for (int r = 0; r < kernel_h; ++r) {
        const int down = i + p.top - r;
        if (down < 0 || down % stride != 0 || down / stride >= p.out_height) continue;
        FOVEA_UNROLL
        for (int s = 0; s < kernel_w; ++s) {
          const int across = j + p.left - s;
          if (across < 0 || across % stride != 0 || across / stride >= p.out_width) continue;
          const std::int64_t position =
              (static_cast<std::int64_t>(n) * p.out_height + down / stride) * p.out_width + across / stride;
          float from[V];
          load(body.g + position * p.channels + c, from);
          const int tap = r * kernel_w + s;
          for (int v = 0; v < V; ++v) {
            gradient[v] += from[v] * weights[tap][v];
            sums[(1 + tap) * V + v] += from[v] * value[v];
          }
        }
      }
      finish(at, seen, gradient);
    }
    FOVEA_KERNEL void finish(std::int64_t at, const float (&seen)[V], float (&gradient)[V]) {
      if (body.add_to != nullptr) {
        float other[V];
        load(body.add_to + at, other);
        for (int v = 0; v < V; ++v) gradient[v] += other[v];
      }
      for (int v = 0; v < V; ++v) {
        gradient[v] *= body.before.slope(seen[v]);
        sums[v] += gradient[v];
      }
      store(gradient, body.dx + at);
    }
  };
};

/// Channels of a thread that computes sums for a window.
int vector_of(const Plane& plane) {
  const bool square = plane.kernel_h == plane.kernel_w && (plane.stride == 1 || plane.stride == 2);
  if (square && plane.kernel_h == 3 && plane.channels % 4 == 0) return 4;
  if (square && plane.kernel_h == 5 && plane.channels % 2 == 0) return 2;
  return 1;
}

template <class T, int K, int S, int V>
void start_forward(Stream stream, const Forward<T, 0, 0, 1>& f) {
  const std::int64_t strips = (f.p.out_width + kStrip - 1) / kStrip;
  launch(stream, std::int64_t{f.p.images} * f.p.out_height * strips * (f.p.channels / V),
         Forward<T, K, S, V>{f.p, f.x, f.before, f.w, f.b, f.after, f.y});
}

template <class T, class D, int K, int S, int V>
void start_backward(Stream stream, const Backward<T, D, 0, 0, 1>& f, const SumsGrid& grid, float* partial, bool add) {
  launch_sums(stream, grid, partial, add, Backward<T, D, K, S, V>{f.p, f.x, f.before, f.w, f.g, f.add_to, f.dx});
}

}  // namespace

template <class T>
void depthwise(Stream stream, const Plane& plane, const T* x, Activation before, const float* w, const float* b, Activation after,
               T* y) {
  const Forward<T, 0, 0, 1> f{plane, x, Clamp(before), w, b, after, y};
  if (vector_of(plane) == 1 || plane.channels % 4 != 0) return start_forward<T, 0, 0, 1>(stream, f);
  if (plane.kernel_h == 3 && plane.stride == 1) return start_forward<T, 3, 1, 4>(stream, f);
  if (plane.kernel_h == 3) return start_forward<T, 3, 2, 4>(stream, f);
  if (plane.stride == 1) return start_forward<T, 5, 1, 4>(stream, f);
  start_forward<T, 5, 2, 4>(stream, f);
}
#define FOVEA_MAKE(T) \
  template void depthwise(Stream, const Plane&, const T*, Activation, const float*, const float*, Activation, T*);
FOVEA_FOR_EACH_NUMBER(FOVEA_MAKE)
FOVEA_MAKE(Tf32)
#undef FOVEA_MAKE

int depthwise_values(const Plane& plane) { return 1 + (vector_of(plane) == 1 ? kMostTaps : plane.taps()); }

SumsGrid depthwise_grid(const Plane& plane) { return sums_grid(plane.channels, vector_of(plane), plane.rows()); }

template <class T, class D>
void depthwise_backward(Stream stream, const Plane& plane, const T* x, Activation before, const float* w, const T* g,
                        const float* add_to, D* dx, const SumsGrid& grid, float* partial, bool add) {
  const Backward<T, D, 0, 0, 1> f{plane, x, Clamp(before), w, g, add_to, dx};
  switch (grid.vector) {
    case 4:
      if (plane.stride == 1) return start_backward<T, D, 3, 1, 4>(stream, f, grid, partial, add);
      return start_backward<T, D, 3, 2, 4>(stream, f, grid, partial, add);
    case 2:
      if (plane.stride == 1) return start_backward<T, D, 5, 1, 2>(stream, f, grid, partial, add);
      return start_backward<T, D, 5, 2, 2>(stream, f, grid, partial, add);
    default: return start_backward<T, D, 0, 0, 1>(stream, f, grid, partial, add);
  }
}
template void depthwise_backward(Stream, const Plane&, const float*, Activation, const float*, const float*, const float*, float*,
                                 const SumsGrid&, float*, bool);
#define FOVEA_MAKE(T)                                                                                                        \
  template void depthwise_backward(Stream, const Plane&, const T*, Activation, const float*, const T*, const float*, float*, \
                                   const SumsGrid&, float*, bool);                                                           \
  template void depthwise_backward(Stream, const Plane&, const T*, Activation, const float*, const T*, const float*, T*,     \
                                   const SumsGrid&, float*, bool);
FOVEA_FOR_EACH_ROUNDED(FOVEA_MAKE)
#undef FOVEA_MAKE

void fold_depthwise(Stream stream, const Plane& plane, const float* partial, int parts, float* dw, float* db) {
  const int channels = plane.channels, taps = plane.taps(), count = depthwise_values(plane) * channels;
  launch(stream, std::int64_t{1 + taps} * channels, [=] FOVEA_KERNEL(int i) {
    const float sum = sum_of_parts(partial + i, parts, count);
    const int value = i / channels, c = i % channels;
    if (value > 0) {
      dw[c * taps + value - 1] = sum;
    } else if (db != nullptr) {
      db[c] = sum;
    }
  });
}

}  // namespace fovea::cuda
