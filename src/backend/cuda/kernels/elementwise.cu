// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/activation.h"
#include "backend/cuda/kernels/elementwise.h"
#include "backend/cuda/kernels/philox.h"

namespace fovea::cuda {

namespace {

struct Activated {
  Activation activation;
  FOVEA_INLINE float operator()(float x, float) const { return activate(activation, x); }
};
struct Sloped {
  Activation activation;
  FOVEA_INLINE float operator()(float dy, float saved) const { return dy * slope(activation, saved); }
};
struct Sum {
  FOVEA_INLINE float operator()(float a, float b) const { return a + b; }
};

/// y[i] = f(a[i], b[i]) for V neighbours a thread.
template <int V, class T, class F>
void each_of(Stream stream, const T* a, const T* b, T* y, std::int64_t count, F f) {
  launch(stream, count / V, [=] FOVEA_KERNEL(int i) {
    const std::int64_t at = std::int64_t{i} * V;
    float left[V], right[V];
    load(a + at, left);
    load(b + at, right);
    for (int v = 0; v < V; ++v) left[v] = f(left[v], right[v]);
    store(left, y + at);
  });
}

template <class T, class F>
void each(Stream stream, const T* a, const T* b, T* y, std::int64_t count, F f) {
  vector_of(count) == 4 ? each_of<4>(stream, a, b, y, count, f) : each_of<1>(stream, a, b, y, count, f);
}

template <int V, class T>
void add_bias_to(Stream stream, const float* x, const float* bias, T* y, std::int64_t rows, int channels, Activation activation) {
  const int groups = channels / V;
  launch(stream, rows * groups, [=] FOVEA_KERNEL(int i) {
    const std::int64_t at = std::int64_t{i} * V;
    float value[V], more[V] = {};
    load(x + at, value);
    if (bias != nullptr) load(bias + i % groups * V, more);
    for (int v = 0; v < V; ++v) value[v] = activate(activation, value[v] + more[v]);
    store(value, y + at);
  });
}

}  // namespace

template <class T>
void apply_activation(Stream stream, const T* x, T* y, std::int64_t count, Activation activation) {
  each(stream, x, x, y, count, Activated{activation});
}

template <class T>
void apply_slope(Stream stream, const T* saved, const T* dy, T* dx, std::int64_t count, Activation activation) {
  each(stream, dy, saved, dx, count, Sloped{activation});
}

template <class T>
void add(Stream stream, const T* a, const T* b, T* y, std::int64_t count) {
  each(stream, a, b, y, count, Sum{});
}

template <class T>
void add_bias(Stream stream, const float* x, const float* bias, T* y, std::int64_t rows, int channels, Activation activation) {
  vector_of(channels) == 4 ? add_bias_to<4>(stream, x, bias, y, rows, channels, activation)
                           : add_bias_to<1>(stream, x, bias, y, rows, channels, activation);
}

#define FOVEA_MAKE(T)                                                                  \
  template void apply_activation(Stream, const T*, T*, std::int64_t, Activation);      \
  template void apply_slope(Stream, const T*, const T*, T*, std::int64_t, Activation); \
  template void add(Stream, const T*, const T*, T*, std::int64_t);                     \
  template void add_bias(Stream, const float*, const float*, T*, std::int64_t, int, Activation);
FOVEA_FOR_EACH_NUMBER(FOVEA_MAKE)
#undef FOVEA_MAKE

void dropout(Stream stream, const float* x, float* y, std::int64_t rows, std::int64_t width, float rate, std::uint32_t which,
             const StepState* state) {
  const std::uint64_t threshold = dropout_threshold(rate);
  const float keep = 1.0F - rate;
  const std::int64_t count = rows * width;
  // One block of four draws more, for the rows may begin within one.
  launch(stream, (count + 3) / 4 + 1, [=] FOVEA_KERNEL(int block) {
    const std::int64_t begin = state->first_row * width;  // of these elements, in the whole batch
    const std::int64_t first = 4 * (begin / 4 + block);
    std::uint32_t draws[4];
    dropout_draws(*state, which, static_cast<std::uint64_t>(first / 4), draws);
    for (int lane = 0; lane < 4; ++lane) {
      const std::int64_t i = first + lane - begin;
      if (i >= 0 && i < count) y[i] = draws[lane] >= threshold ? x[i] / keep : 0.0F;
    }
  });
}

template <class T>
void round_rows(Stream stream, const float* x, T* y, std::int64_t rows, int channels, int stride, int ones) {
  launch(stream, rows * stride, [=] FOVEA_KERNEL(int i) {
    const int row = i / stride, c = i % stride;
    y[i] = narrow<T>(c < channels ? x[static_cast<std::int64_t>(row) * channels + c] : c < channels + ones ? 1.0F : 0.0F);
  });
}
#define FOVEA_MAKE(T) template void round_rows(Stream, const float*, T*, std::int64_t, int, int, int);
FOVEA_FOR_EACH_ROUNDED(FOVEA_MAKE)
#undef FOVEA_MAKE

template <class T>
void round_weights(Stream stream, const float* w, const float* b, T* y, int filters, int channels, int stride) {
  launch(stream, std::int64_t{filters} * stride, [=] FOVEA_KERNEL(int i) {
    const int k = i / stride, c = i % stride;
    if (c < channels) {
      y[i] = narrow<T>(w[k * channels + c]);
      return;
    }
    float rest = b == nullptr || c >= channels + 3 ? 0.0F : b[k];
    for (int part = channels; part < c; ++part) rest -= rounded_to<T>(rest);
    y[i] = narrow<T>(rest);
  });
}
#define FOVEA_MAKE(T) template void round_weights(Stream, const float*, const float*, T*, int, int, int);
FOVEA_FOR_EACH_ROUNDED(FOVEA_MAKE)
#undef FOVEA_MAKE

template <class T>
void transpose(Stream stream, const float* x, float* y, int rows, int columns) {
  launch(stream, std::int64_t{rows} * columns,
         [=] FOVEA_KERNEL(int i) { y[i] = rounded_to<T>(x[i % rows * columns + i / rows]); });
}

#define FOVEA_MAKE(T) template void transpose<T>(Stream, const float*, float*, int, int);
FOVEA_MAKE(float)
FOVEA_FOR_EACH_ROUNDED(FOVEA_MAKE)
#undef FOVEA_MAKE

namespace {

template <class S, class D, class G, int V>
struct Through {
  static constexpr int kValues = 1, kWidth = V;
  const S* saved;
  Activation activation;
  const D* dy;
  G* g;
  int channels;

  struct Lane {
    const Through& body;
    int c;
    float sums[V];
    FOVEA_KERNEL Lane(const Through& b, int column) : body(b), c(column * V), sums{} {}
    FOVEA_KERNEL void add(int row) {
      const std::int64_t at = static_cast<std::int64_t>(row) * body.channels + c;
      float value[V];
      load(body.dy + at, value);
      if (body.saved != nullptr) {
        float seen[V];
        load(body.saved + at, seen);
        for (int v = 0; v < V; ++v) value[v] *= slope(body.activation, seen[v]);
      }
      for (int v = 0; v < V; ++v) sums[v] += value[v];
      if (body.g != nullptr) store(value, body.g + at);
    }
  };
};

}  // namespace

SumsGrid row_grid(std::int64_t rows, int channels) { return sums_grid(channels, vector_of(channels), rows); }

template <class S, class D, class G>
void through_activation(Stream stream, const S* saved, Activation activation, const D* dy, G* g, const SumsGrid& grid,
                        float* partial, bool add) {
  if (grid.vector == 4) {
    launch_sums(stream, grid, partial, add, Through<S, D, G, 4>{saved, activation, dy, g, grid.columns * 4});
  } else {
    launch_sums(stream, grid, partial, add, Through<S, D, G, 1>{saved, activation, dy, g, grid.columns});
  }
}
template void through_activation(Stream, const float*, Activation, const float*, float*, const SumsGrid&, float*, bool);
#define FOVEA_MAKE(T) \
  template void through_activation(Stream, const T*, Activation, const float*, T*, const SumsGrid&, float*, bool);
FOVEA_FOR_EACH_ROUNDED(FOVEA_MAKE)
#undef FOVEA_MAKE
#define FOVEA_MAKE(T) template void through_activation(Stream, const T*, Activation, const T*, T*, const SumsGrid&, float*, bool);
FOVEA_FOR_EACH_SHORT(FOVEA_MAKE)
#undef FOVEA_MAKE

void fold(Stream stream, const float* partial, int parts, std::int64_t count, float* out) {
  launch(stream, count, [=] FOVEA_KERNEL(int i) { out[i] = sum_of_parts(partial + i, parts, count); });
}

}  // namespace fovea::cuda
