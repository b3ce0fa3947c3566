// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backend/cuda/kernels/activation.h"
#include "backend/cuda/kernels/norm.h"

namespace fovea::cuda {
namespace {

/// Rows of a thread: what belongs to its channels is read, and a root and a division taken, once for all of them.
constexpr int kRows = 4;

/// V neighbouring channels of a normalisation.
template <int V>
struct Channels {
  float mean[V], scale[V], gamma[V], beta[V];
  FOVEA_KERNEL Channels(const NormVectors& norm, int c) {
    load(norm.mean + c, mean);
    load(norm.gamma + c, gamma);
    load(norm.beta + c, beta);
    for (int v = 0; v < V; ++v) scale[v] = norm_scale(norm, c + v);
  }
  /// x normalised, and what goes into the activation.
  FOVEA_KERNEL float unit(float x, int v) const { return (x - mean[v]) * scale[v]; }
  FOVEA_KERNEL float result(float unit, int v) const { return unit * gamma[v] + beta[v]; }
};

/// The rows of thread i, at V of their channels; neighbouring threads have neighbours.
struct Rows {
  std::int64_t first, apart, end;
  int channels, c;
  FOVEA_KERNEL Rows(int i, std::int64_t rows, int of_row, int vector)
      : first(i / (of_row / vector)), apart(steps(rows)), end(rows), channels(of_row), c(i % (of_row / vector) * vector) {}
  [[nodiscard]] FOVEA_INLINE static std::int64_t steps(std::int64_t rows) { return (rows + kRows - 1) / kRows; }
  [[nodiscard]] FOVEA_KERNEL bool has(int r) const { return first + r * apart < end; }
  [[nodiscard]] FOVEA_KERNEL std::int64_t at(int r) const { return (first + r * apart) * channels + c; }
};

template <class X, int V>
struct Moments {
  static constexpr int kValues = 2, kWidth = V;
  const X* x;
  const float* pivot;
  int channels;

  struct Lane {
    const Moments& body;
    int c;
    float first[V];
    float sums[2 * V];
    FOVEA_KERNEL Lane(const Moments& b, int column) : body(b), c(column * V), sums{} { load(body.pivot + c, first); }
    FOVEA_KERNEL void add(int row) {
      float value[V];
      load(body.x + static_cast<std::int64_t>(row) * body.channels + c, value);
      for (int v = 0; v < V; ++v) {
        const float off = value[v] - first[v];
        sums[v] += off;
        sums[V + v] += off * off;
      }
    }
  };
};

template <class X, class D, int V>
struct Gradients {
  static constexpr int kValues = 2, kWidth = V;
  const X* x;
  const D* dy;
  NormVectors norm;
  Activation activation;
  int channels;

  struct Lane {
    const Gradients& body;
    int c;
    Channels<V> of;
    float sums[2 * V];
    FOVEA_KERNEL Lane(const Gradients& b, int column) : body(b), c(column * V), of(b.norm, c), sums{} {}
    FOVEA_KERNEL void add(int row) {
      const std::int64_t at = static_cast<std::int64_t>(row) * body.channels + c;
      float value[V], dz[V];
      load(body.x + at, value);
      load(body.dy + at, dz);
      for (int v = 0; v < V; ++v) {
        const float unit = of.unit(value[v], v);
        dz[v] *= slope(body.activation, of.result(unit, v));
        sums[v] += dz[v];
        sums[V + v] += dz[v] * unit;
      }
    }
  };
};

template <int V, class X, class Y>
void normalise_groups(Stream stream, const X* x, const NormVectors& norm, Activation activation, Y* y, std::int64_t rows,
                      int channels) {
  launch(stream, Rows::steps(rows) * (channels / V), [=] FOVEA_KERNEL(int i) {
    const Rows mine(i, rows, channels, V);
    const Channels<V> of(norm, mine.c);
    float value[kRows][V] = {};  // all of them before y, which may be x
    FOVEA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (mine.has(r)) load(x + mine.at(r), value[r]);
    }
    FOVEA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < V; ++v) value[r][v] = activate(activation, of.result(of.unit(value[r][v], v), v));
      if (mine.has(r)) store(value[r], y + mine.at(r));
    }
  });
}

template <class X, class D, class G>
struct InputGradient {
  const X* x;
  const D* dy;
  NormVectors norm;
  Activation activation;
  const float* dgamma;
  const float* dbeta;
  float count;
  int channels;
  G* dx;
};

template <int V, class X, class D, class G>
void input_gradient_groups(Stream stream, const InputGradient<X, D, G>& all, std::int64_t rows) {
  launch(stream, Rows::steps(rows) * (all.channels / V), [=] FOVEA_KERNEL(int i) {
    const Rows mine(i, rows, all.channels, V);
    const Channels<V> of(all.norm, mine.c);
    float mean_dz[V], mean_product[V];  // of all rows
    load(all.dbeta + mine.c, mean_dz);
    load(all.dgamma + mine.c, mean_product);
    for (int v = 0; v < V; ++v) {
      mean_dz[v] /= all.count;
      mean_product[v] /= all.count;
    }
    float value[kRows][V] = {}, gradient[kRows][V] = {};  // all of them before dx, which may be dy
    FOVEA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      if (!mine.has(r)) continue;
      load(all.x + mine.at(r), value[r]);
      load(all.dy + mine.at(r), gradient[r]);
    }
    FOVEA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < V; ++v) {
        const float unit = of.unit(value[r][v], v);
        const float dz = gradient[r][v] * slope(all.activation, of.result(unit, v));
        gradient[r][v] = of.gamma[v] * of.scale[v] * (dz - mean_dz[v] - unit * mean_product[v]);
      }
      if (mine.has(r)) store(gradient[r], all.dx + mine.at(r));
    }
  });
}

/// Of rows of w, the sum of products with dw.
struct RowProducts {
  static constexpr int kValues = 1, kWidth = 1;
  const float* a;
  const float* b;
  int items;

  struct Lane {
    const float* a;
    const float* b;
    float sums[1];
    FOVEA_KERNEL Lane(const RowProducts& body, int row)
        : a(body.a + static_cast<std::int64_t>(row) * body.items),
          b(body.b + static_cast<std::int64_t>(row) * body.items),
          sums{} {}
    FOVEA_KERNEL void add(int item) { sums[0] += a[item] * b[item]; }
  };
};

}  // namespace

template <class X, class Y>
void normalise(Stream stream, const X* x, const NormVectors& norm, Activation activation, Y* y, std::int64_t rows, int channels) {
  vector_of(channels) == 4 ? normalise_groups<4>(stream, x, norm, activation, y, rows, channels)
                           : normalise_groups<1>(stream, x, norm, activation, y, rows, channels);
}

template <class X>
void moments(Stream stream, const X* x, const float* pivot, int channels, const SumsGrid& grid, float* partial, bool add) {
  if (grid.vector == 4) {
    launch_sums(stream, grid, partial, add, Moments<X, 4>{x, pivot, channels});
  } else {
    launch_sums(stream, grid, partial, add, Moments<X, 1>{x, pivot, channels});
  }
}

template <class X>
void first_row(Stream stream, const X* x, int channels, float* pivot) {
  launch(stream, channels, [=] FOVEA_KERNEL(int c) { pivot[c] = widen(x[c]); });
}

void finish_moments(Stream stream, const float* partial, int parts, const float* pivot, std::int64_t rows, int channels,
                    float* mean, float* var) {
  const auto count = static_cast<float>(rows);
  launch(stream, channels, [=] FOVEA_KERNEL(int c) {
    const float off = sum_of_parts(partial + c, parts, std::int64_t{2} * channels) / count;
    const float square = sum_of_parts(partial + channels + c, parts, std::int64_t{2} * channels) / count;
    mean[c] = pivot[c] + off;
    var[c] = fmaxf(square - off * off, 0.0F);
  });
}

template <class X>
void statistics(Stream stream, const X* x, std::int64_t rows, int channels, float* partial, float* pivot, float* mean,
                float* var) {
  const SumsGrid grid = row_grid(rows, channels);
  first_row(stream, x, channels, pivot);
  moments(stream, x, pivot, channels, grid, partial, false);
  finish_moments(stream, partial, grid.parts, pivot, rows, channels, mean, var);
}

template <class X, class D>
void norm_gradient_sums(Stream stream, const X* x, const NormVectors& norm, const D* dy, Activation activation, int channels,
                        const SumsGrid& grid, float* partial, bool add) {
  if (grid.vector == 4) {
    launch_sums(stream, grid, partial, add, Gradients<X, D, 4>{x, dy, norm, activation, channels});
  } else {
    launch_sums(stream, grid, partial, add, Gradients<X, D, 1>{x, dy, norm, activation, channels});
  }
}

void fold_norm_gradient(Stream stream, const float* partial, int parts, int channels, float* dgamma, float* dbeta) {
  launch(stream, channels, [=] FOVEA_KERNEL(int c) {
    dbeta[c] = sum_of_parts(partial + c, parts, std::int64_t{2} * channels);
    dgamma[c] = sum_of_parts(partial + channels + c, parts, std::int64_t{2} * channels);
  });
}

template <class X, class D, class G>
void norm_input_gradient(Stream stream, const X* x, const NormVectors& norm, const D* dy, Activation activation,
                         const float* dgamma, const float* dbeta, std::int64_t count, std::int64_t rows, int channels, G* dx) {
  const InputGradient<X, D, G> whole{x, dy, norm, activation, dgamma, dbeta, static_cast<float>(count), channels, dx};
  vector_of(channels) == 4 ? input_gradient_groups<4>(stream, whole, rows) : input_gradient_groups<1>(stream, whole, rows);
}

template <class T>
void normalise_backward(Stream stream, const T* x, const NormVectors& norm, const T* dy, Activation activation, std::int64_t rows,
                        int channels, float* partial, T* dx, float* dgamma, float* dbeta) {
  const SumsGrid grid = row_grid(rows, channels);
  norm_gradient_sums(stream, x, norm, dy, activation, channels, grid, partial, false);
  fold_norm_gradient(stream, partial, grid.parts, channels, dgamma, dbeta);
  norm_input_gradient(stream, x, norm, dy, activation, dgamma, dbeta, rows, rows, channels, dx);
}

void update_running(Stream stream, const float* mean, const float* var, float momentum, std::int64_t count, int channels,
                    float* running_mean, float* running_var) {
  const float unbias = static_cast<float>(count) / static_cast<float>(count - 1);
  launch(stream, channels, [=] FOVEA_KERNEL(int c) {
    running_mean[c] = (1.0F - momentum) * running_mean[c] + momentum * mean[c];
    running_var[c] = (1.0F - momentum) * running_var[c] + momentum * (var[c] * unbias);
  });
}

void fold_norm(Stream stream, const float* w, const NormVectors& norm, int filters, int taps, float* folded, float* bias) {
  launch(stream, std::int64_t{filters} * taps, [=] FOVEA_KERNEL(int i) {
    const int k = i / taps;
    const float scale = norm.gamma[k] / sqrtf(norm.var[k] + norm.eps);
    folded[i] = w[i] * scale;
    if (i % taps == 0) bias[k] = norm.beta[k] - norm.mean[k] * scale;
  });
}

void fold_norm_backward(Stream stream, const float* w, const NormVectors& norm, const float* dfolded, const float* dbias,
                        int filters, int taps, float* sums, float* dw, float* dgamma, float* dbeta) {
  launch_sums(stream, row_sums_grid(filters, taps), sums, false, RowProducts{dfolded, w, taps});
  launch(stream, std::int64_t{filters} * taps, [=] FOVEA_KERNEL(int i) {
    const int k = i / taps;
    const float s = sqrtf(norm.var[k] + norm.eps);
    dw[i] = dfolded[i] * (norm.gamma[k] / s);
    if (i % taps != 0) return;
    dgamma[k] = (sums[k] - norm.mean[k] * dbias[k]) / s;
    dbeta[k] = dbias[k];
  });
}

#define FOVEA_MAKE(T)                                                                                                         \
  template void normalise(Stream, const T*, const NormVectors&, Activation, T*, std::int64_t, int);                           \
  template void moments(Stream, const T*, const float*, int, const SumsGrid&, float*, bool);                                  \
  template void first_row(Stream, const T*, int, float*);                                                                     \
  template void statistics(Stream, const T*, std::int64_t, int, float*, float*, float*, float*);                              \
  template void norm_gradient_sums(Stream, const T*, const NormVectors&, const T*, Activation, int, const SumsGrid&, float*,  \
                                   bool);                                                                                     \
  template void norm_input_gradient(Stream, const T*, const NormVectors&, const T*, Activation, const float*, const float*,   \
                                    std::int64_t, std::int64_t, int, T*);                                                     \
  template void normalise_backward(Stream, const T*, const NormVectors&, const T*, Activation, std::int64_t, int, float*, T*, \
                                   float*, float*);
FOVEA_FOR_EACH_NUMBER(FOVEA_MAKE)
#undef FOVEA_MAKE
// Of blocks of rounded numbers, where sums are normalised and gradients come as sums.
#define FOVEA_MAKE(T)                                                                                                            \
  template void normalise(Stream, const float*, const NormVectors&, Activation, T*, std::int64_t, int);                          \
  template void norm_gradient_sums(Stream, const float*, const NormVectors&, const T*, Activation, int, const SumsGrid&, float*, \
                                   bool);                                                                                        \
  template void norm_gradient_sums(Stream, const T*, const NormVectors&, const float*, Activation, int, const SumsGrid&, float*, \
                                   bool);                                                                                        \
  template void norm_input_gradient(Stream, const float*, const NormVectors&, const T*, Activation, const float*, const float*,  \
                                    std::int64_t, std::int64_t, int, T*);                                                        \
  template void norm_input_gradient(Stream, const T*, const NormVectors&, const float*, Activation, const float*, const float*,  \
                                    std::int64_t, std::int64_t, int, T*);
FOVEA_FOR_EACH_ROUNDED(FOVEA_MAKE)
#undef FOVEA_MAKE
template void normalise(Stream, const Tf32*, const NormVectors&, Activation, Tf32*, std::int64_t, int);
template void moments(Stream, const Tf32*, const float*, int, const SumsGrid&, float*, bool);
template void first_row(Stream, const Tf32*, int, float*);

}  // namespace fovea::cuda
