// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backend/cuda/kernels/activation.h"
#include "backend/cuda/kernels/norm.h"

namespace fovea::cuda {
namespace {

/// x normalised, channel c.
struct Normal {
  NormVectors n;
  FOVEA_INLINE float scale(int c) const { return 1.0F / sqrtf(n.var[c] + n.eps); }
  FOVEA_INLINE float operator()(float x, int c) const { return (x - n.mean[c]) * scale(c); }
};

/// Sums of x - x0 and its square, where x0 is the channel's first value: so a large mean costs no digits.
template <int V>
struct Moments {
  static constexpr int kValues = 2, kWidth = V;
  const float* x;
  int channels;

  struct Lane {
    const Moments& body;
    int c;
    float first[V];
    float sums[2 * V];
    FOVEA_KERNEL Lane(const Moments& b, int column) : body(b), c(column * V), sums{} { load(body.x + c, first); }
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

/// Sums of dz, the gradient before the activation, and of dz times the normalised x.
template <int V>
struct Gradients {
  static constexpr int kValues = 2, kWidth = V;
  const float* x;
  const float* dy;
  Normal normal;
  Activation activation;
  int channels;

  struct Lane {
    const Gradients& body;
    int c;
    float sums[2 * V];
    FOVEA_KERNEL Lane(const Gradients& b, int column) : body(b), c(column * V), sums{} {}
    FOVEA_KERNEL void add(int row) {
      const std::int64_t at = static_cast<std::int64_t>(row) * body.channels + c;
      float value[V], dz[V];
      load(body.x + at, value);
      load(body.dy + at, dz);
      for (int v = 0; v < V; ++v) {
        const float unit = body.normal(value[v], c + v);
        dz[v] *= slope(body.activation, unit * body.normal.n.gamma[c + v] + body.normal.n.beta[c + v]);
        sums[v] += dz[v];
        sums[V + v] += dz[v] * unit;
      }
    }
  };
};

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

void normalise(Stream stream, const float* x, const NormVectors& norm, Activation activation, float* y, std::int64_t rows,
               int channels) {
  const Normal normal{norm};
  launch(stream, rows * channels, [=] FOVEA_KERNEL(int i) {
    const int c = i % channels;
    y[i] = activate(activation, normal(x[i], c) * norm.gamma[c] + norm.beta[c]);
  });
}

void statistics(Stream stream, const float* x, std::int64_t rows, int channels, float* partial, float* mean, float* var) {
  const SumsGrid grid = row_grid(rows, channels);
  if (grid.vector == 4) {
    launch_sums(stream, grid, partial, false, Moments<4>{x, channels});
  } else {
    launch_sums(stream, grid, partial, false, Moments<1>{x, channels});
  }
  const auto count = static_cast<float>(rows);
  const int parts = grid.parts;
  launch(stream, channels, [=] FOVEA_KERNEL(int c) {
    const float off = sum_of_parts(partial + c, parts, std::int64_t{2} * channels) / count;
    const float square = sum_of_parts(partial + channels + c, parts, std::int64_t{2} * channels) / count;
    mean[c] = x[c] + off;
    var[c] = fmaxf(square - off * off, 0.0F);
  });
}

void normalise_backward(Stream stream, const float* x, const NormVectors& norm, const float* dy, Activation activation,
                        std::int64_t rows, int channels, float* partial, float* dx, float* dgamma, float* dbeta) {
  const SumsGrid grid = row_grid(rows, channels);
  const Normal normal{norm};
  if (grid.vector == 4) {
    launch_sums(stream, grid, partial, false, Gradients<4>{x, dy, normal, activation, channels});
  } else {
    launch_sums(stream, grid, partial, false, Gradients<1>{x, dy, normal, activation, channels});
  }
  const int parts = grid.parts;
  launch(stream, channels, [=] FOVEA_KERNEL(int c) {
    dbeta[c] = sum_of_parts(partial + c, parts, std::int64_t{2} * channels);
    dgamma[c] = sum_of_parts(partial + channels + c, parts, std::int64_t{2} * channels);
  });
  const auto count = static_cast<float>(rows);
  launch(stream, rows * channels, [=] FOVEA_KERNEL(int i) {
    const int c = i % channels;
    const float unit = normal(x[i], c);
    const float dz = dy[i] * slope(activation, unit * norm.gamma[c] + norm.beta[c]);
    dx[i] = norm.gamma[c] * normal.scale(c) * (dz - dbeta[c] / count - unit * dgamma[c] / count);
  });
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

}  // namespace fovea::cuda
