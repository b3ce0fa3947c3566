// SPDX-License-Identifier: Apache-2.0
#include "train/balance.h"

#include <fmt/format.h>

#include "train/metrics.h"

namespace fovea::training {
namespace {

std::string reason_of(const TrainOptions& options, const Skew& skew) {
  const std::string counts =
      fmt::format("{} to {} training photos a class ({}, {})", skew.fewest, skew.most, skew.rarest, skew.commonest);
  if (options.balance == Balance::kOn) return counts + "; asked for";
  return fmt::format("{}: more than {} times as many", counts, Skew::kStrong);
}

}  // namespace

Skew skew_of(const Dataset& data) {
  Skew skew;
  const auto counts = count_per_class(data.train, data.class_count());
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) continue;
    if (skew.fewest == 0 || counts[k] < skew.fewest) {
      skew.fewest = counts[k];
      skew.rarest = data.classes[k];
    }
    if (counts[k] > skew.most) {
      skew.most = counts[k];
      skew.commonest = data.classes[k];
    }
  }
  return skew;
}

BalancePlan plan_balance(const TrainOptions& options, const Dataset& data) {
  BalancePlan plan;
  const Skew skew = skew_of(data);
  const bool weighed = options.class_weights == ClassWeights::kBalanced;
  // With any number of labels each class has its own threshold, which follows how rare it is.
  const bool skewed = skew.strong() && !data.multi_label;
  const bool evened = options.balance == Balance::kOn || (options.balance == Balance::kAuto && skewed);
  // Asked for weights, one gets weights: only an explicit --balance on draws evenly instead of them.
  plan.sampling = evened && !(weighed && options.balance == Balance::kAuto);
  const std::vector<float> weights = balanced_class_weights(data.train, data.class_count());
  if (weighed || (options.class_weights == ClassWeights::kAuto && evened)) plan.head_weights = weights;
  if (weighed && !plan.sampling) plan.tuning_weights = weights;
  if (plan.sampling) {
    plan.choice = {"balance", plan.head_weights.empty() ? "even batches" : "even batches, weighed last layer",
                   reason_of(options, skew)};
  }
  return plan;
}

void tell_balance(const Dataset& data, const LabelledTable& logits, TrainReport& report) {
  if (data.multi_label || !skew_of(data).strong() || logits.labels.empty()) return;
  // Which score is the largest is all that these figures need, so logits do.
  const Evaluation evaluation = evaluation_of({logits.table.values, logits.labels}, data.classes, 1);
  report.balanced_accuracy = evaluation.balanced_accuracy;
  report.macro_f1 = evaluation.macro_f1;
}

}  // namespace fovea::training
