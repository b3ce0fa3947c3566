// SPDX-License-Identifier: Apache-2.0
#include "estimate/run_cost.h"

#include <algorithm>
#include <cmath>

#include "train/photo_rows.h"
#include "train/recipe.h"
#include "train/trial.h"

namespace fovea::estimate {
namespace {

double number(std::int64_t count) { return static_cast<double>(count); }

/// A run whose pieces are known; each function is a stage of src/train, in its order.
class Sum {
 public:
  Sum(const RunFacts& facts, const Cost& scan, const PhotoCosts& photos, const NetworkCosts& network, const HeadCosts& head)
      : facts_(facts), scan_(scan), photos_(photos), network_(network), head_(head) {}

  [[nodiscard]] Cost scan() const {
    return facts_.holds_out ? scan_ + number(facts_.train + facts_.val) * (photos_.compare + photos_.disk) : scan_;
  }
  [[nodiscard]] Cost features() const { return number(facts_.train) * first_look(); }
  [[nodiscard]] Cost first_model() const { return scan() + network_.set_up + features() + head_.fit; }
  /// The features of the first fit are there; each photo is decoded once for the others.
  [[nodiscard]] Cost fits() const {
    const double tried = number(facts_.fit_trial);
    const double others = facts_.fits - 1;
    const Cost looks = tried * (photos_.decode + others * beyond(network_.features, photos_.decode));
    return looks + facts_.fits * (tried / number(facts_.train)) * head_.fit;
  }
  [[nodiscard]] Cost refit() const { return number(facts_.train - facts_.fit_trial) * network_.features + head_.fit; }
  [[nodiscard]] Cost validate_first() const { return network_.set_up + number(facts_.val) * first_look(); }

  [[nodiscard]] Cost trial() const {
    if (facts_.trial == 0) return {};
    const double outside = number(facts_.trial) / training::kTrialParts;
    const double inside = number(facts_.trial) - outside;
    const Cost look = small_share() * network_.look + photos_.vary_small;
    Cost cost =
        number(facts_.trial) * (photos_.cache_fill + look) + 2 * network_.set_up + (inside / number(facts_.train)) * head_.fit;
    for (const NormMode norm : facts_.ways) {
      cost += network_.tuner_set_up + network_.set_up;
      cost += training::kTrialEpochs * inside * (network_.learn_small.at(norm) + photos_.vary_small) + outside * look;
    }
    return cost;
  }
  [[nodiscard]] Cost epoch() const {
    const double kept = number(std::min(facts_.val, training::most_kept_photos(facts_.pixels)));
    return number(facts_.train) * (network_.learn + photos_.vary) + kept * network_.look +
           (number(facts_.val) - kept) * network_.features;
  }
  [[nodiscard]] Cost tuning() const {
    return network_.tuner_set_up + network_.set_up + facts_.epochs * epoch() +
           number(facts_.train - facts_.trial) * photos_.cache_fill;
  }
  /// Rejection, figures and report; after fine-tuning the training photos' features are others than before.
  [[nodiscard]] Cost closing(bool tuned) const {
    constexpr double kWrong = 0.1;  // share of the validation photos that the report shows, each with a heat map
    constexpr double kMostShown = 30;
    const double shown = std::min(kMostShown, kWrong * number(facts_.val));
    Cost cost = head_.reject + number(facts_.test + facts_.none) * (network_.features + photos_.disk) +
                shown * (network_.features + network_.look);
    if (tuned) cost += network_.set_up + number(training::rejection_size(facts_.train)) * network_.features;
    return cost;
  }

 private:
  [[nodiscard]] Cost first_look() const { return facts_.holds_out ? network_.features : network_.features + photos_.disk; }
  /// Of the time that a look takes, on the pictures of a trial.
  [[nodiscard]] double small_share() const {
    constexpr double kSmall = 3.0 * training::kTrialSide * training::kTrialSide;
    return std::min(1.0, kSmall / number(facts_.pixels));
  }

  const RunFacts& facts_;
  const Cost& scan_;
  const PhotoCosts& photos_;
  const NetworkCosts& network_;
  const HeadCosts& head_;
};

std::int64_t memory_of(const RunFacts& facts, const NetworkCosts& network, const HeadCosts& head, bool tunes) {
  constexpr std::int64_t kFloat = sizeof(float);
  // As they are, scaled, and transposed; and those that are remembered for rejection.
  const std::int64_t features = (3 * facts.train + training::rejection_size(facts.train)) * head.width * kFloat;
  const std::int64_t kept = std::min(facts.val, training::most_kept_photos(facts.pixels)) * facts.pixels;
  const std::int64_t looking = network.parameter_bytes + network.look_bytes + features;
  if (!tunes) return looking + kept;
  // The best so far, the weights that learn, a candidate; batches in hand and ahead.
  constexpr std::int64_t kBatches = 4;
  const std::int64_t learning = 3 * network.parameter_bytes + network.learn_bytes + network.look_bytes +
                                kBatches * facts.batch * facts.pixels * kFloat +
                                training::rejection_size(facts.train) * head.width * kFloat;
  return std::max(looking, learning) + kept;
}

}  // namespace

RunFacts facts_of(const TrainOptions& options, std::int64_t train, std::int64_t val, int classes, int side) {
  RunFacts facts;
  facts.train = train;
  facts.val = val;
  if (val == 0 && options.val_fraction > 0) {
    facts.holds_out = true;
    facts.val = std::llround(options.val_fraction * number(train));
    facts.train = train - facts.val;
  }
  facts.scope = options.scope;
  facts.epochs = training::planned_epochs_of(options, facts.train, classes).epochs;
  const std::int64_t shown = facts.epochs * facts.train;
  for (const training::TuningWay& way : training::tuning_ways(options, shown)) facts.ways.push_back(way.norm);
  const std::int64_t most = training::trial_size(shown);
  const std::int64_t rows = facts.train / training::trial_share(facts.train, most);
  const bool can_tell = rows / training::kTrialParts >= static_cast<std::int64_t>(training::kFewestHeldOut);
  facts.trial = options.scope != Scope::kHead && facts.ways.size() > 1 && can_tell ? rows : 0;
  facts.fit_trial = options.fit == FitChoice::kAuto ? std::min(facts.train, training::fit_trial_size(facts.train)) : 0;
  facts.batch = training::tuning_batch_of(options, facts.train);
  facts.pixels = std::int64_t{3} * side * side;
  return facts;
}

RunCost cost_of_run(const RunFacts& facts, const Cost& scan, const PhotoCosts& photos, const NetworkCosts& network,
                    const HeadCosts& head) {
  const Sum sum(facts, scan, photos, network, head);
  const Cost until_tuning = sum.first_model() + (facts.fit_trial > 0 ? sum.fits() : Cost{}) + sum.validate_first();
  RunCost cost;
  cost.features = sum.features();
  cost.first_model = sum.first_model();
  cost.refit = facts.fit_trial > 0 ? sum.refit() : Cost{};
  cost.head = until_tuning + sum.closing(false);
  cost.whole = cost.head;
  cost.bytes = memory_of(facts, network, head, facts.scope != Scope::kHead);
  if (facts.scope == Scope::kHead) return cost;
  cost.trial = sum.trial();
  cost.epoch = sum.epoch();
  cost.whole = until_tuning + cost.trial + sum.tuning() + sum.closing(true);
  return cost;
}

}  // namespace fovea::estimate
