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

/// A photo's colours at (x, y), weighted between the four pixels around it.
struct Sampler {
  const std::uint8_t* pixels;
  int height, width;
  float fill;

  FOVEA_INLINE void add(int x, int y, float weight, float (&colours)[3]) const {
    const bool inside = x >= 0 && x < width && y >= 0 && y < height;
    const std::uint8_t* pixel = pixels + 3 * (static_cast<std::int64_t>(inside ? y : 0) * width + (inside ? x : 0));
    for (int c = 0; c < 3; ++c) colours[c] += weight * (inside ? static_cast<float>(pixel[c]) : fill);
  }
  FOVEA_INLINE void at(float x, float y, float (&colours)[3]) const {
    const float left = floorf(x), top = floorf(y);
    const float right_share = x - left, lower_share = y - top;
    // Far outside, where an int could not hold it, is all fill.
    const int column = static_cast<int>(fminf(fmaxf(left, -2.0F), static_cast<float>(width)));
    const int row = static_cast<int>(fminf(fmaxf(top, -2.0F), static_cast<float>(height)));
    add(column, row, (1.0F - right_share) * (1.0F - lower_share), colours);
    add(column + 1, row, right_share * (1.0F - lower_share), colours);
    add(column, row + 1, (1.0F - right_share) * lower_share, colours);
    add(column + 1, row + 1, right_share * lower_share, colours);
  }
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

void draw(Stream stream, const TrainingOps::Photos& photos, const PhotoDraw* draws, const TrainingOps::Images& images) {
  launch(stream, std::int64_t{images.count} * images.height * images.width, [=] FOVEA_KERNEL(int index) {
    const int x = index % images.width, y = index / images.width % images.height;
    const PhotoDraw& d = draws[index / images.width / images.height];
    float* target = images.pixels + std::int64_t{3} * index;
    const bool erased = x >= d.left && x < d.right && y >= d.top && y < d.bottom;
    const std::int64_t photo = std::int64_t{3} * photos.height * photos.width * d.source;
    const Sampler sampler{photos.pixels + photo, photos.height, photos.width, d.fill};
    const auto column = static_cast<float>(x), row = static_cast<float>(y);
    const float *m = d.map, *k = d.colour;
    float colours[3] = {};
    sampler.at(m[0] * column + m[1] * row + m[2], m[3] * column + m[4] * row + m[5], colours);
    for (int c = 0; c < 3; ++c) {
      const float mixed = k[4 * c] * colours[0] + k[4 * c + 1] * colours[1] + k[4 * c + 2] * colours[2] + k[4 * c + 3];
      const float kept = fminf(fmaxf(mixed, 0.0F), 255.0F);
      target[c] = erased ? 0.0F : (kept / 255.0F - images.mean[c]) * images.scale[c];
    }
  });
}

}  // namespace fovea::cuda
