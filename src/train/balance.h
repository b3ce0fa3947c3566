// Fovea: classes with very different numbers of photos, and what is done about them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "fovea/trainer.h"
#include "train/photo_rows.h"

namespace fovea::training {

/// The rarest and the commonest class among the training photos; classes without any do not count.
struct Skew {
  std::int64_t fewest = 0;
  std::int64_t most = 0;
  std::string rarest;
  std::string commonest;
  /// Far enough apart that the rare class is answered too seldom (ten to one: bench/results/imbalance.md).
  [[nodiscard]] bool strong() const { return most > kStrong * fewest; }
  static constexpr std::int64_t kStrong = 5;
};
[[nodiscard]] Skew skew_of(const Dataset& data);

/// What --balance and --class-weights come to.
struct BalancePlan {
  bool sampling = false;  ///< fine-tuning draws each class as often as any other
  /// One per class, or none: of the exact last layer, where weighing is what drawing is for gradient descent; and of the loss in
  /// fine-tuning, where it would count twice on top of sampling.
  std::vector<float> head_weights;
  std::vector<float> tuning_weights;
  std::optional<Choice> choice;  ///< where there is something to say
};
[[nodiscard]] BalancePlan plan_balance(const TrainOptions& options, const Dataset& data);

/// Fills the report's figures in which every class counts the same, where the skew is strong.
void tell_balance(const Dataset& data, const LabelledTable& logits, TrainReport& report);

}  // namespace fovea::training
