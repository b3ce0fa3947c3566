// SPDX-License-Identifier: Apache-2.0
//
// A thread has V neighbouring channels, so that what a warp reads lies side by side. Windows of 3 and 5 with V = 4 or 2 have
// their sizes at compile time (K, S); everything else is computed by the same bodies with K = 0 and a channel a thread.
#include <cmath>
#include <utility>

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

/// What the convolution reads, of a backward pass that is given it.
template <class T>
struct Given {
  static constexpr int kSums = 0;
  const T* x;
  Clamp before;

  template <int V>
  struct Lane {
    const Given& of;
    FOVEA_KERNEL Lane(const Given& given, int /*c*/) : of(given) {}
    /// Of V channels from `at` on: what is read, and what its gradient is multiplied with.
    FOVEA_KERNEL void read(std::int64_t at, float (&value)[V], float (&slope)[V]) {
      load(of.x + at, value);
      for (int v = 0; v < V; ++v) {
        slope[v] = of.before.slope(value[v]);
        value[v] = of.before(value[v]);
      }
    }
    FOVEA_KERNEL void add(const float (&/*dx*/)[V], float* /*sums*/) {}
  };
};

/// Of one that normalises sums first, and rounds what it made of them to T.
template <class T>
struct Normalised {
  static constexpr int kSums = 1;
  const float* x;
  NormVectors norm;
  Clamp after;

  template <int V>
  struct Lane {
    const Normalised& of;
    int c;
    float scale[V];  ///< a root and a division, once for all positions
    float unit[V];   ///< x normalised
    FOVEA_KERNEL Lane(const Normalised& normalised, int channel) : of(normalised), c(channel) {
      for (int v = 0; v < V; ++v) scale[v] = norm_scale(of.norm, c + v);
    }
    FOVEA_KERNEL void read(std::int64_t at, float (&value)[V], float (&slope)[V]) {
      const NormVectors& n = of.norm;
      float mean[V], gamma[V], beta[V];
      load(n.mean + c, mean);
      load(n.gamma + c, gamma);
      load(n.beta + c, beta);
      load(of.x + at, unit);
      for (int v = 0; v < V; ++v) {
        unit[v] = (unit[v] - mean[v]) * scale[v];
        value[v] = rounded_to<T>(of.after(unit[v] * gamma[v] + beta[v]));
        slope[v] = of.after.slope(value[v]);
      }
    }
    FOVEA_KERNEL void add(const float (&dx)[V], float* sums) {
      for (int v = 0; v < V; ++v) sums[v] += dx[v] * unit[v];
    }
  };
};

template <class X, class T, class D, int K, int S, int V>
struct Backward {
  static constexpr int kTaps = K > 0 ? K* K : kMostTaps;
  static constexpr int kValues = 1 + kTaps + X::kSums, kWidth = V;
  Plane p;
  X source;
  const float* w;
  const T* g;
  const float* add_to;
  D* dx;

  struct Lane {
    const Backward& body;
    int c;
    typename X::template Lane<V> source;
    float weights[kTaps][V];
    float sums[kValues * V];
    FOVEA_KERNEL Lane(const Backward& b, int column) : body(b), c(column * V), source(b.source, c), sums{} {
      for (int tap = 0; tap < (K > 0 ? kTaps : body.p.taps()); ++tap) load(body.w + tap * body.p.channels + c, weights[tap]);
    }
    /// One position of x.
    FOVEA_KERNEL void add(int item) {
      const Plane& p = body.p;
      const int j = item % p.width, line = item / p.width;
      const int i = line % p.height, n = line / p.height;
      const std::int64_t at = static_cast<std::int64_t>(item) * p.channels + c;
      float value[V], slope[V], gradient[V] = {};
      source.read(at, value, slope);
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
      finish(at, slope, gradient);
    }
    FOVEA_KERNEL void finish(std::int64_t at, const float (&slope)[V], float (&gradient)[V]) {
      if (body.add_to != nullptr) {
        float other[V];
        load(body.add_to + at, other);
        for (int v = 0; v < V; ++v) gradient[v] += other[v];
      }
      for (int v = 0; v < V; ++v) {
        gradient[v] *= slope[v];
        // A normalisation takes its sums of what it is given, which is rounded.
        if (X::kSums > 0) gradient[v] = rounded_to<D>(gradient[v]);
        sums[v] += gradient[v];
      }
      source.add(gradient, sums + (1 + kTaps) * V);
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

/// K, S and V by the window and the grid.
template <class X, class T, class D>
void start_backward(Stream stream, const Backward<X, T, D, 0, 0, 1>& f, const SumsGrid& grid, float* partial, bool add) {
  const auto start = [&]<int K, int S, int V>(std::integer_sequence<int, K, S, V>) {
    launch_sums(stream, grid, partial, add, Backward<X, T, D, K, S, V>{f.p, f.source, f.w, f.g, f.add_to, f.dx});
  };
  const bool one = f.p.stride == 1;
  switch (grid.vector) {
    case 4: return one ? start(std::integer_sequence<int, 3, 1, 4>()) : start(std::integer_sequence<int, 3, 2, 4>());
    case 2: return one ? start(std::integer_sequence<int, 5, 1, 2>()) : start(std::integer_sequence<int, 5, 2, 2>());
    default: return start(std::integer_sequence<int, 0, 0, 1>());
  }
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

int depthwise_values(const Plane& plane, bool normalises) {
  return 1 + (vector_of(plane) == 1 ? kMostTaps : plane.taps()) + (normalises ? 1 : 0);
}

SumsGrid depthwise_grid(const Plane& plane) { return sums_grid(plane.channels, vector_of(plane), plane.rows()); }

template <class T, class D>
void depthwise_backward(Stream stream, const Plane& plane, const T* x, Activation before, const float* w, const T* g,
                        const float* add_to, D* dx, const SumsGrid& grid, float* partial, bool add) {
  start_backward<Given<T>, T, D>(stream, {plane, {x, Clamp(before)}, w, g, add_to, dx}, grid, partial, add);
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

template <class T>
void normalised_depthwise_backward(Stream stream, const Plane& plane, const float* x, const NormVectors& norm,
                                   Activation activation, const float* w, const T* g, T* dx, const SumsGrid& grid, float* partial,
                                   bool add) {
  start_backward<Normalised<T>, T, T>(stream, {plane, {x, norm, Clamp(activation)}, w, g, nullptr, dx}, grid, partial, add);
}
#define FOVEA_MAKE(T)                                                                                                           \
  template void normalised_depthwise_backward(Stream, const Plane&, const float*, const NormVectors&, Activation, const float*, \
                                              const T*, T*, const SumsGrid&, float*, bool);
FOVEA_MAKE(float)
FOVEA_FOR_EACH_ROUNDED(FOVEA_MAKE)
#undef FOVEA_MAKE

void fold_depthwise(Stream stream, const Plane& plane, const float* partial, int parts, float* dw, float* db, float* dgamma) {
  const int channels = plane.channels, taps = plane.taps(), values = depthwise_values(plane, dgamma != nullptr);
  launch(stream, std::int64_t{values} * channels, [=] FOVEA_KERNEL(int i) {
    const int value = i / channels, c = i % channels;
    float* target = nullptr;
    if (value > 0 && value <= taps) {
      target = dw + c * taps + value - 1;
    } else if (value == 0 && db != nullptr) {
      target = db + c;
    } else if (value == values - 1 && dgamma != nullptr) {
      target = dgamma + c;
    }
    if (target != nullptr) *target = sum_of_parts(partial + i, parts, std::int64_t{values} * channels);
  });
}

}  // namespace fovea::cuda
