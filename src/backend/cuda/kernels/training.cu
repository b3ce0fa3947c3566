// SPDX-License-Identifier: Apache-2.0
#include <cfloat>
#include <cmath>

#include "backend/cuda/kernels/row_team.h"
#include "backend/cuda/kernels/training.h"

namespace fovea::cuda {
namespace {

/// The buffer as rows of kRow, each the sum of a column.
constexpr int kRow = 4096;

/// Exact, as the scale is a power of two.
FOVEA_INLINE float undoing(const LossScale* loss) { return loss == nullptr ? 1.0F : 1.0F / loss->scale; }

struct Squares {
  static constexpr int kValues = 1, kWidth = 1;
  const float* gradients;
  const Trained* trained;
  std::int64_t count;
  const LossScale* loss;

  struct Lane {
    const Squares& body;
    std::int64_t first;
    float undo;
    float sums[1];
    FOVEA_KERNEL Lane(const Squares& b, int row)
        : body(b), first(static_cast<std::int64_t>(row) * kRow), undo(undoing(b.loss)), sums{} {}
    FOVEA_KERNEL void add(int item) {
      const std::int64_t i = first + item;
      if (i >= body.count || body.trained[i] == Trained::kNo) return;
      const float g = body.gradients[i] * undo;
      sums[0] += g * g;
    }
  };
};

}  // namespace

void accumulate(Stream stream, const float* gradients, float* sum, std::int64_t count) {
  launch(stream, count, [=] FOVEA_KERNEL(int i) { sum[i] += gradients[i]; });
}

SumsGrid clip_grid(std::int64_t count) { return row_sums_grid(static_cast<int>((count + kRow - 1) / kRow), kRow); }

void clip(Stream stream, const float* gradients, const Trained* trained, std::int64_t count, float limit, float* partial,
          GradientScale* scale, LossScale* loss) {
  const SumsGrid grid = clip_grid(count);
  launch_sums(stream, grid, partial, false, Squares{gradients, trained, count, loss});
  const int rows = grid.columns;
  launch_rows(stream, 1, rows, [=] FOVEA_KERNEL(int, const RowTeam& team) {
    const float norm = sqrtf(team.sum(rows, [&](int row) { return partial[row]; }));
    team.once([&] {
      const bool finite = norm <= FLT_MAX;  // false of NaN
      scale->factor = undoing(loss) * (limit > 0.0F ? fminf(1.0F, limit / (norm + 1e-6F)) : 1.0F);
      scale->norm = norm;
      scale->left_out = loss != nullptr && !finite ? 1 : 0;
      if (loss != nullptr) *loss = loss->after(finite);
    });
  });
}

void adamw(Stream stream, const AdamWFactors& f, const TrainingOps::Buffers& b) {
  launch(stream, b.count, [=] FOVEA_KERNEL(int i) {
    if (b.trained[i] == Trained::kNo || b.scale->left_out != 0) return;
    const float g = b.gradients[i] * b.scale->factor;
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
    if (b.trained[i] == Trained::kNo || b.scale->left_out != 0) return;
    const float decay = b.trained[i] == Trained::kDecaying ? f.decay : 0.0F;
    const float g = b.gradients[i] * b.scale->factor + decay * b.parameters[i];
    const float v = f.momentum * b.first[i] + g;
    b.first[i] = v;
    b.parameters[i] -= f.rate * (f.of_gradient * g + f.of_velocity * v);
  });
}

void update_average(Stream stream, float toward, const float* values, float* average, std::int64_t count,
                    const GradientScale* scale) {
  launch(stream, count, [=] FOVEA_KERNEL(int i) {
    if (scale->left_out == 0) average[i] += toward * (values[i] - average[i]);
  });
}

void put_back(Stream stream, const float* kept, float* values, std::int64_t count, const GradientScale* scale) {
  launch(stream, count, [=] FOVEA_KERNEL(int i) {
    if (scale->left_out != 0) values[i] = kept[i];
  });
}

}  // namespace fovea::cuda
