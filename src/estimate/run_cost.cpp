// SPDX-License-Identifier: Apache-2.0
#include "estimate/run_cost.h"

#include <algorithm>
#include <cmath>

#include "train/fit_choice.h"
#include "train/photo_rows.h"
#include "train/recipe.h"
#include "train/trial.h"

namespace fovea::estimate {
namespace {

double number(std::int64_t count) { return static_cast<double>(count); }

/// A run whose pieces are known; each function is a stage of src/train, in its order.
class Sum {
 public:
  Sum(const RunFacts& facts, const Cost& scan, const SizeCosts& costs, const HeadCosts& head)
      : facts_(facts), scan_(scan), photos_(costs.photos), network_(costs.network), pixels_(costs.pixels), head_(head) {}

  [[nodiscard]] Cost scan() const {
    return facts_.holds_out ? scan_ + number(facts_.train + facts_.val) * (photos_.compare + photos_.disk) : scan_;
  }
  [[nodiscard]] Cost features() const { return number(facts_.train) * first_look(); }
  [[nodiscard]] Cost first_model() const { return scan() + network_.set_up + features() + head_.fit; }
  /// The features of the first fit are there; each photo is decoded once for the others.
  [[nodiscard]] Cost fits() const {
    if (facts_.fits == 1) return {};
    const double tried = number(facts_.fit_trial);
    const double others = facts_.fits - 1;
    const Cost looks = tried * (photos_.decode + others * beyond(network_.features, photos_.decode));
    return looks + facts_.fits * last_layer_on(tried);
  }
  /// The same photos at `times` as many pixels, which are no fewer to decode.
  [[nodiscard]] Cost sizes(double times) const {
    if (!facts_.sizes) return {};
    const double tried = number(facts_.fit_trial);
    return network_.set_up + tried * (network_.features + (times - 1) * network_.look) + 2 * last_layer_on(tried);
  }
  [[nodiscard]] Cost refit() const { return number(facts_.train - facts_.fit_trial) * network_.features + head_.fit; }
  [[nodiscard]] Cost validate_first() const { return network_.set_up + number(facts_.val) * first_look(); }

  [[nodiscard]] Cost trial() const {
    if (facts_.trial == 0) return {};
    const double outside = number(facts_.trial) / training::kTrialParts;
    const double inside = number(facts_.trial) - outside;
    const Cost look = small_share() * network_.look + photos_.vary_small;
    Cost cost = number(facts_.trial) * (photos_.cache_fill + look) + 2 * network_.set_up + last_layer_on(inside);
    for (const NormMode norm : facts_.ways) {
      cost += network_.tuner_set_up + network_.set_up;
      cost +=
          training::trial_epochs(facts_.epochs) * inside * (network_.learn_small.at(norm) + photos_.vary_small) + outside * look;
    }
    return cost;
  }
  [[nodiscard]] Cost epoch() const {
    const double kept = number(std::min(facts_.val, training::most_kept_photos(pixels_)));
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
  [[nodiscard]] Cost last_layer_on(double photos) const { return (photos / number(facts_.train)) * head_.fit; }
  [[nodiscard]] Cost first_look() const { return facts_.holds_out ? network_.features : network_.features + photos_.disk; }
  /// Of the time that a look takes, on the pictures of a trial.
  [[nodiscard]] double small_share() const {
    constexpr double kSmall = 3.0 * training::kTrialSide * training::kTrialSide;
    return std::min(1.0, kSmall / number(pixels_));
  }

  const RunFacts& facts_;
  const Cost& scan_;
  const PhotoCosts& photos_;
  const NetworkCosts& network_;
  std::int64_t pixels_;
  const HeadCosts& head_;
};

std::int64_t memory_of(const RunFacts& facts, const SizeCosts& costs, const HeadCosts& head) {
  const NetworkCosts& network = costs.network;
  constexpr std::int64_t kFloat = sizeof(float);
  // Libraries, their generated code, photos in hand: bench/results/plan.md.
  constexpr std::int64_t kProgram = std::int64_t{90} << 20;
  // As they are, scaled, and transposed; and those that are remembered for rejection.
  const std::int64_t features = (3 * facts.train + training::rejection_size(facts.train)) * head.width * kFloat;
  const std::int64_t kept = std::min(facts.val, training::most_kept_photos(costs.pixels)) * costs.pixels;
  const std::int64_t looking = kProgram + network.parameter_bytes + network.look_bytes + features;
  if (facts.scope == Scope::kHead) return looking + kept;
  // The best so far, the weights that learn, a candidate; batches in hand and ahead.
  constexpr std::int64_t kBatches = 4;
  const std::int64_t learning = kProgram + 3 * network.parameter_bytes + network.learn_bytes + network.look_bytes +
                                kBatches * facts.batch * costs.pixels * kFloat +
                                training::rejection_size(facts.train) * head.width * kFloat;
  return std::max(looking, learning) + kept;
}

}  // namespace

double waiting_share(const Cost& learn, const Cost& vary, bool apart) {
  const double more = vary.seconds - learn.seconds;
  if (more <= 0) return 0;
  return more / (apart ? vary.seconds : vary.seconds + learn.seconds);
}

RunFacts facts_of(const TrainOptions& options, std::int64_t train, std::int64_t val, int classes) {
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
  const std::vector<training::TuningWay> ways = training::tuning_ways(options, shown);
  for (const training::TuningWay& way : ways) facts.ways.push_back(way.norm);
  const std::int64_t most = training::trial_size(shown);
  const std::int64_t rows = facts.train / training::trial_share(facts.train, most);
  const bool can_tell = rows / training::kTrialParts >= static_cast<std::int64_t>(training::kFewestHeldOut);
  facts.trial = options.scope != Scope::kHead && training::trial_decides(options, ways) && can_tell ? rows : 0;
  facts.fit_trial = std::min(facts.train, training::fit_trial_size(facts.train));
  facts.fits = static_cast<int>(training::fit_candidates(options, Preprocess{}).size());
  facts.sizes = !options.size;
  facts.batch = training::tuning_batch_of(options, facts.train);
  facts.precision = options.precision;
  return facts;
}

RunCost cost_of_run(const RunFacts& facts, const Cost& scan, const SizeCosts& usual, const SizeCosts* larger,
                    const HeadCosts& head) {
  const Preprocess base;
  const Preprocess larger_base = training::with_larger_input(base);
  const double times = larger != nullptr
                           ? number(larger->pixels) / number(usual.pixels)
                           : static_cast<double>(larger_base.height * larger_base.width) / (base.height * base.width);
  const SizeCosts& chosen = larger != nullptr ? *larger : usual;
  const Sum before(facts, scan, usual, head);
  const Sum after(facts, scan, chosen, head);
  RunCost cost;
  cost.features = before.features();
  cost.first_model = before.first_model();
  if (facts.fits > 1 || larger != nullptr) cost.refit = after.refit();
  Cost until_tuning = cost.first_model + before.fits() + before.sizes(times) + after.validate_first();
  if (larger != nullptr) until_tuning += cost.refit;
  cost.head = until_tuning + after.closing(false);
  cost.whole = cost.head;
  cost.bytes = memory_of(facts, chosen, head);
  if (facts.scope == Scope::kHead) return cost;
  cost.trial = after.trial();
  cost.epoch = after.epoch();
  cost.whole = until_tuning + cost.trial + after.tuning() + after.closing(true);
  return cost;
}

}  // namespace fovea::estimate
