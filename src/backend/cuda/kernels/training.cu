// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backend/cuda/kernels/training.h"

namespace fovea::cuda {
namespace {

/// The buffer as rows of kRow, each the sum of a column.
constexpr int kRow = 4096;

struct Squares {
  static constexpr int kValues = 1, kWidth = 1;
  const float* gradients;
  const Trained* trained;
  std::int64_t count;

  struct Lane {
    const Squares& body;
    std::int64_t first;
    float sums[1];
    FOVEA_KERNEL Lane(const Squares& b, int row) : body(b), first(static_cast<std::int64_t>(row) * kRow), sums{} {}
    FOVEA_KERNEL void add(int item) {
      const std::int64_t i = first + item;
      if (i < body.count && body.trained[i] != Trained::kNo) sums[0] += body.gradients[i] * body.gradients[i];
    }
  };
};

}  // namespace

void accumulate(Stream stream, const float* gradients, float* sum, std::int64_t count) {
  launch(stream, count, [=] FOVEA_KERNEL(int i) { sum[i] += gradients[i]; });
}

SumsGrid clip_grid(std::int64_t count) { return row_sums_grid(static_cast<int>((count + kRow - 1) / kRow), kRow); }

void clip(Stream stream, const float* gradients, const Trained* trained, std::int64_t count, float limit, float* partial,
          float* scale) {
  const SumsGrid grid = clip_grid(count);
  launch_sums(stream, grid, partial, false, Squares{gradients, trained, count});
  const int rows = grid.columns;
  launch(stream, 1, [=] FOVEA_KERNEL(int) {
    const float norm = sqrtf(sum_of_parts(partial, rows, 1));
    scale[0] = limit > 0.0F ? fminf(1.0F, limit / (norm + 1e-6F)) : 1.0F;
    scale[1] = norm;
  });
}

void adamw(Stream stream, const AdamWFactors& f, const TrainingOps::Buffers& b) {
  launch(stream, b.count, [=] FOVEA_KERNEL(int i) {
    if (b.trained[i] == Trained::kNo) return;
    const float g = b.gradients[i] * b.scale[0];
    const float m = b.first[i] + f.toward * (g - b.first[i]);
    const float v = f.beta2 * b.second[i] + f.toward2 * g * g;
    b.first[i] = m;
    b.second[i] = v;
    const float keep = b.trained[i] == Trained::kDecaying ? f.keep : f.keep_undecayed;
    b.parameters[i] = keep * b.parameters[i] - f.rate * (m / (sqrtf(v) / f.correction + f.eps));
  });
}

void sgd(Stream stream, const SgdFactors& f, const TrainingOps::Buffers& b) {
  launch(stream, b.count, [=] FOVEA_KERNEL(int i) {
    if (b.trained[i] == Trained::kNo) return;
    const float decay = b.trained[i] == Trained::kDecaying ? f.decay : 0.0F;
    const float g = b.gradients[i] * b.scale[0] + decay * b.parameters[i];
    const float v = f.momentum * b.first[i] + g;
    b.first[i] = v;
    b.parameters[i] -= f.rate * (f.of_gradient * g + f.of_velocity * v);
  });
}

void update_average(Stream stream, float toward, const float* values, float* average, std::int64_t count) {
  launch(stream, count, [=] FOVEA_KERNEL(int i) { average[i] += toward * (values[i] - average[i]); });
}

}  // namespace fovea::cuda
