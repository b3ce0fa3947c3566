// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "data/augment.h"

namespace fovea {
namespace {

// Gamma(shape, 1) by Marsaglia and Tsang (ACM TOMS 26, 2000); a shape below one is raised by one and scaled back.
float gamma_draw(float shape, Rng& rng) {
  if (shape < 1) {
    const float raised = gamma_draw(shape + 1, rng);
    return raised * std::pow(1 - rng.uniform(), 1 / shape);
  }
  const float d = shape - 1.0F / 3;
  const float c = 1 / std::sqrt(9 * d);
  while (true) {
    const float x = rng.normal();
    const float v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v <= 0) continue;
    if (std::log(1 - rng.uniform()) < 0.5F * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

// Beta(alpha, alpha).
float beta_draw(float alpha, Rng& rng) {
  const float a = gamma_draw(alpha, rng);
  const float b = gamma_draw(alpha, rng);
  if (a + b > 0) return a / (a + b);
  return rng.chance(0.5F) ? 1.0F : 0.0F;  // both underflowed: alpha so small that the draw is at an end anyway
}

// The rows of one array that are mixed: row k becomes blend(row k, row k + 1), the last one with the first.
template <class Blend>
void mix_rows(std::span<float> all, std::size_t row_size, const std::vector<std::size_t>& rows, const Blend& blend) {
  const auto row = [&](std::size_t k) { return all.subspan(rows[k] * row_size, row_size); };
  const std::vector<float> first(row(0).begin(), row(0).end());
  for (std::size_t k = 0; k + 1 < rows.size(); ++k) blend(row(k), std::span<const float>(row(k + 1)));
  blend(row(rows.size() - 1), std::span<const float>(first));
}

auto weighted(float own) {
  return [own](std::span<float> mine, std::span<const float> other) {
    for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = own * mine[i] + (1 - own) * other[i];
  };
}

// A rectangle of 1 - share of the area about a random point, cut off at the borders.
struct Patch {
  int left = 0;
  int right = 0;
  int top = 0;
  int bottom = 0;
};
Patch patch_of(float share, int width, int height, Rng& rng) {
  const auto x = static_cast<int>(rng.below(static_cast<std::uint32_t>(width)));
  const auto y = static_cast<int>(rng.below(static_cast<std::uint32_t>(height)));
  const float half = 0.5F * std::sqrt(1 - share);
  const auto half_width = static_cast<int>(half * static_cast<float>(width));
  const auto half_height = static_cast<int>(half * static_cast<float>(height));
  return {std::max(x - half_width, 0), std::min(x + half_width, width), std::max(y - half_height, 0),
          std::min(y + half_height, height)};
}

}  // namespace

void mix_batch(const BatchView& batch, const AugmentPolicy& policy, Rng& rng) {
  if ((policy.mixup <= 0 && policy.cutmix <= 0) || !rng.chance(policy.mix_probability)) return;
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < batch.weights.size(); ++i) {
    if (batch.weights[i] > 0) rows.push_back(i);
  }
  if (rows.size() < 2) return;
  const bool both = policy.mixup > 0 && policy.cutmix > 0;
  const bool cut = both ? rng.chance(0.5F) : policy.cutmix > 0;
  const std::size_t image_size = batch.images.size() / batch.weights.size();
  const std::size_t classes = batch.targets.size() / batch.weights.size();
  float own = beta_draw(cut ? policy.cutmix : policy.mixup, rng);
  if (cut) {
    const Patch patch = patch_of(own, batch.width, batch.height, rng);
    const std::size_t channels = image_size / (static_cast<std::size_t>(batch.width) * static_cast<std::size_t>(batch.height));
    mix_rows(batch.images, image_size, rows, [&](std::span<float> mine, std::span<const float> other) {
      for (int y = patch.top; y < patch.bottom; ++y) {
        const std::size_t line = static_cast<std::size_t>(y) * static_cast<std::size_t>(batch.width);
        const auto from = static_cast<std::ptrdiff_t>((line + static_cast<std::size_t>(patch.left)) * channels);
        const auto to = static_cast<std::ptrdiff_t>((line + static_cast<std::size_t>(patch.right)) * channels);
        std::copy(other.begin() + from, other.begin() + to, mine.begin() + from);
      }
    });
    const auto area = static_cast<float>((patch.right - patch.left) * (patch.bottom - patch.top));
    own = 1 - area / (static_cast<float>(batch.width) * static_cast<float>(batch.height));
  } else {
    mix_rows(batch.images, image_size, rows, weighted(own));
  }
  mix_rows(batch.targets, classes, rows, weighted(own));
}

}  // namespace fovea
