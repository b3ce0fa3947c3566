// SPDX-License-Identifier: Apache-2.0
#include "train/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace fovea::training {

std::string describe(const TuningWay& way) {
  return fmt::format("rate {:.0e}, BatchNorm {}", way.rate, way.norm == NormMode::kLive ? "live" : "frozen");
}

std::vector<TuningWay> tuning_ways(const TrainOptions& options, std::int64_t photos_shown) {
  if (!options.pretrained) {
    constexpr double kRateFromScratch = 2e-3;
    const bool frozen = options.batchnorm == BatchNormMode::kFrozen;
    return {{kRateFromScratch, frozen ? NormMode::kFrozen : NormMode::kLive}};
  }
  // From good weights a much higher rate than the first first throws them away, and few photos do not bring them back; many that
  // are unlike those that the weights come from can need it.
  std::vector<TuningWay> ways{{5e-4, NormMode::kFrozen}};
  constexpr std::int64_t kEnoughToRecover = 15'000;
  if (photos_shown >= kEnoughToRecover || options.batchnorm == BatchNormMode::kLive) ways.push_back({1e-3, NormMode::kLive});
  const auto excluded = [&](const TuningWay& way) {
    if (options.batchnorm == BatchNormMode::kFrozen) return way.norm != NormMode::kFrozen;
    if (options.batchnorm == BatchNormMode::kLive) return way.norm != NormMode::kLive;
    return false;
  };
  std::erase_if(ways, excluded);
  if (options.lr) {
    for (TuningWay& way : ways) way.rate = *options.lr;
    const auto repeated = std::ranges::unique(ways, {}, &TuningWay::norm);
    ways.erase(repeated.begin(), repeated.end());
  }
  return ways;
}

std::optional<TuningWay> gentler_way(const TrainOptions& options, const TuningWay& usual) {
  constexpr double kGentler = 0.4;
  if (options.lr) return std::nullopt;
  return TuningWay{kGentler * usual.rate, usual.norm};
}

bool trial_decides(const TrainOptions& options, std::span<const TuningWay> ways) {
  return options.pretrained && (ways.size() > 1 || !options.lr);
}

TuningWay cached_way(const TrainOptions& options, double rate) {
  return {rate, options.batchnorm == BatchNormMode::kLive ? NormMode::kLive : NormMode::kFrozen};
}

double peak_rate(const TrainOptions& options, const TuningWay& way) {
  return options.lr.value_or(options.optimizer == OptimizerKind::kSgd ? 30 * way.rate : way.rate);
}

int tuning_batch_of(const TrainOptions& options, std::int64_t photos) {
  return static_cast<int>(std::min<std::int64_t>(options.batch.value_or(32), photos));
}

std::string_view name_of(AugmentLevel level) {
  switch (level) {
    case AugmentLevel::kNone: return "none";
    case AugmentLevel::kLight: return "light";
    case AugmentLevel::kStandard: return "standard";
    case AugmentLevel::kStrong: return "strong";
  }
  return "";
}

PlannedAugment planned_augment_of(const TrainOptions& options, int epochs) {
  if (options.augment) return {*options.augment, "asked for"};
  constexpr int kOften = 20;
  constexpr int kSeldom = 2;
  const std::string times = fmt::format("each photo is seen {} times", epochs);
  if (epochs <= kSeldom) return {AugmentLevel::kLight, times + ": there is little to learn by heart"};
  if (epochs >= kOften) return {AugmentLevel::kStrong, times + ": it must not be learned by heart"};
  return {AugmentLevel::kStandard, times};
}

AugmentPolicy policy_of(const TrainOptions& options, AugmentLevel level) {
  AugmentPolicy policy;
  switch (level) {
    case AugmentLevel::kNone: policy = augment_policy(AugmentStrength::kNone); break;
    case AugmentLevel::kLight: policy = augment_policy(AugmentStrength::kLight); break;
    case AugmentLevel::kStandard: policy = augment_policy(AugmentStrength::kMedium); break;
    case AugmentLevel::kStrong: policy = augment_policy(AugmentStrength::kStrong); break;
  }
  if (options.mixup > 0) policy.mixup = static_cast<float>(options.mixup);
  if (options.cutmix > 0) policy.cutmix = static_cast<float>(options.cutmix);
  return policy;
}

double average_decay(std::int64_t steps) { return 1 - 10 / static_cast<double>(std::max<std::int64_t>(20, steps)); }

double TrialScore::loss() const {
  return losses.empty() ? 0 : std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

PairedDifference paired_difference(const TrialScore& a, const TrialScore& b) {
  assert(a.losses.size() == b.losses.size());
  const auto n = static_cast<double>(a.losses.size());
  PairedDifference difference{a.loss() - b.loss(), 0};
  if (n < 2) return difference;
  double squares = 0;
  for (std::size_t i = 0; i < a.losses.size(); ++i) {
    const double deviation = a.losses[i] - b.losses[i] - difference.mean;
    squares += deviation * deviation;
  }
  difference.standard_error = std::sqrt(squares / (n - 1) / n);
  return difference;
}

std::size_t best_way(std::span<const TrialScore> tried) {
  const auto least = std::ranges::min_element(tried, {}, [](const TrialScore& score) { return score.loss(); });
  const PairedDifference gain = paired_difference(tried.front(), *least);
  // A trial is much shorter than the run, which favours small steps: only what is beyond doubt overrules the usual way.
  constexpr double kClear = 3;
  return gain.mean > kClear * gain.standard_error ? static_cast<std::size_t>(least - tried.begin()) : 0;
}

bool tuning_pays(const TrialScore& untuned, const TrialScore& tuned) {
  const PairedDifference harm = paired_difference(tuned, untuned);
  return harm.mean <= harm.standard_error;
}

std::int64_t fit_trial_size(std::int64_t photos) { return std::clamp<std::int64_t>(photos / 4, 160, 400); }

std::int64_t rejection_size(std::int64_t photos) { return std::min<std::int64_t>(photos, 8192); }

std::int64_t trial_size(std::int64_t photos_shown) { return std::clamp<std::int64_t>(photos_shown / 10, 540, 3000); }

PlannedEpochs plan_epochs(std::int64_t photos, int classes, bool pretrained) {
  if (!pretrained) return {60, "random weights have everything to learn"};
  constexpr double kPhotosShown = 5400;  // enough steps, however few the photos
  constexpr std::int64_t kMany = 5000;
  constexpr std::int64_t kVeryMany = 20'000;
  const std::int64_t per_class = photos / std::max(1, classes);
  const int least = photos > kVeryMany ? 2 : photos > kMany ? 3 : 4;
  const double wanted = kPhotosShown / static_cast<double>(std::max<std::int64_t>(1, photos));
  return {std::clamp(static_cast<int>(std::lround(wanted)), least, 12),
          fmt::format("for {} photos, {} a class", photos, per_class)};
}

PlannedEpochs planned_epochs_of(const TrainOptions& options, std::int64_t photos, int classes) {
  if (options.epochs) return {*options.epochs, "asked for"};
  return plan_epochs(photos, classes, options.pretrained);
}

}  // namespace fovea::training
