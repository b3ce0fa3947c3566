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
Window patch_of(float share, int width, int height, Rng& rng) {
  const auto x = static_cast<int>(rng.below(static_cast<std::uint32_t>(width)));
  const auto y = static_cast<int>(rng.below(static_cast<std::uint32_t>(height)));
  const float half = 0.5F * std::sqrt(1 - share);
  const auto half_width = static_cast<int>(half * static_cast<float>(width));
  const auto half_height = static_cast<int>(half * static_cast<float>(height));
  const int left = std::max(x - half_width, 0), top = std::max(y - half_height, 0);
  return {left, top, std::min(x + half_width, width) - left, std::min(y + half_height, height) - top};
}

void mix_images(const MixPlan& plan, const BatchView& batch) {
  if (plan.kind == MixPlan::Kind::kNone) return;
  const std::size_t image_size = batch.images.size() / batch.weights.size();
  if (plan.kind == MixPlan::Kind::kBlend) return mix_rows(batch.images, image_size, plan.rows, weighted(plan.own));
  const std::size_t channels = image_size / (static_cast<std::size_t>(batch.width) * static_cast<std::size_t>(batch.height));
  const Window& patch = plan.patch;
  mix_rows(batch.images, image_size, plan.rows, [&](std::span<float> mine, std::span<const float> other) {
    for (int y = patch.top; y < patch.top + patch.height; ++y) {
      const std::size_t line = static_cast<std::size_t>(y) * static_cast<std::size_t>(batch.width);
      const auto from = static_cast<std::ptrdiff_t>((line + static_cast<std::size_t>(patch.left)) * channels);
      const auto count = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(patch.width) * channels);
      std::copy_n(other.begin() + from, count, mine.begin() + from);
    }
  });
}

}  // namespace

MixPlan draw_mix(std::span<const float> weights, int height, int width, const AugmentPolicy& policy, Rng& rng) {
  if ((policy.mixup <= 0 && policy.cutmix <= 0) || !rng.chance(policy.mix_probability)) return {};
  MixPlan plan;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) plan.rows.push_back(i);
  }
  if (plan.rows.size() < 2) return {};
  const bool both = policy.mixup > 0 && policy.cutmix > 0;
  const bool cut = both ? rng.chance(0.5F) : policy.cutmix > 0;
  plan.kind = cut ? MixPlan::Kind::kPatch : MixPlan::Kind::kBlend;
  plan.own = beta_draw(cut ? policy.cutmix : policy.mixup, rng);
  if (cut) {
    plan.patch = patch_of(plan.own, width, height, rng);
    const auto area = static_cast<float>(plan.patch.width * plan.patch.height);
    plan.own = 1 - area / (static_cast<float>(width) * static_cast<float>(height));
  }
  return plan;
}

void mix_targets(const MixPlan& plan, std::span<float> targets, std::size_t classes) {
  if (plan.kind != MixPlan::Kind::kNone) mix_rows(targets, classes, plan.rows, weighted(plan.own));
}

void mix_batch(const BatchView& batch, const AugmentPolicy& policy, Rng& rng) {
  const MixPlan plan = draw_mix(batch.weights, batch.height, batch.width, policy, rng);
  mix_images(plan, batch);
  mix_targets(plan, batch.targets, batch.targets.size() / std::max<std::size_t>(batch.weights.size(), 1));
}

}  // namespace fovea
