// SPDX-License-Identifier: Apache-2.0
#include "estimate/run_cost.h"

#include <gtest/gtest.h>

#include "train/fit_choice.h"
#include "train/photo_rows.h"
#include "train/recipe.h"
#include "train/trial.h"

namespace fovea::estimate {
namespace {

Cost of(double seconds) { return {seconds, 2 * seconds}; }

/// Powers of two times a sixteenth of a millisecond: sums are exact, and no two of them are alike by chance.
NetworkCosts network_table() {
  NetworkCosts costs;
  costs.set_up = of(0.5);
  costs.features = of(0.03125);
  costs.look = of(0.015625);
  costs.tuner_set_up = of(0.25);
  costs.learn = of(0.0625);
  costs.learn_small = {{NormMode::kFrozen, of(0.0078125)}};
  costs.parameter_bytes = 1 << 20;
  costs.look_bytes = 1 << 22;
  costs.learn_bytes = 1 << 24;
  return costs;
}
PhotoCosts photo_table() {
  return {.disk = of(0.001953125),
          .compare = of(0.0078125),
          .decode = of(0.0009765625),
          .cache_fill = of(0.015625),
          .vary = of(0.00390625),
          .vary_small = of(0.001953125)};
}
constexpr HeadCosts kHead{.fit = {2, 4}, .reject = {1, 2}, .width = 1280};

RunFacts facts_of_a_run() {
  RunFacts facts;
  facts.train = 400;
  facts.val = 100;
  facts.epochs = 3;
  facts.ways = {NormMode::kFrozen, NormMode::kFrozen};
  facts.trial = 300;
  facts.fit_trial = 100;
  facts.fits = 3;
  return facts;
}

constexpr std::int64_t kPixels = 3 * 256 * 256;  // four times those of a trial
SizeCosts measured() { return {photo_table(), network_table(), kPixels}; }
RunCost cost_of(const RunFacts& facts) { return cost_of_run(facts, of(0.125), measured(), nullptr, kHead); }

TEST(RunCost, TheFirstModelTakesFeaturesAndALastLayer) {
  const RunCost cost = cost_of(facts_of_a_run());
  // Each photo is read from the disk here for the first time.
  EXPECT_DOUBLE_EQ(cost.features.seconds, 400 * (0.03125 + 0.001953125));
  EXPECT_DOUBLE_EQ(cost.first_model.seconds, 0.125 + 0.5 + cost.features.seconds + 2);
  EXPECT_DOUBLE_EQ(cost.first_model.processor, 2 * cost.first_model.seconds);
}

TEST(RunCost, ARunOfTheLastLayerComparesFitsAndValidates) {
  const double fits = 100 * (0.0009765625 + 2 * (0.03125 - 0.0009765625)) + 3 * 0.25 * 2;
  const double validation = 0.5 + 100 * (0.03125 + 0.001953125);
  const double shown = 10 * (0.03125 + 0.015625);  // every tenth is wrong, and in the report
  RunFacts facts = facts_of_a_run();
  facts.scope = Scope::kHead;
  const RunCost cost = cost_of(facts);
  EXPECT_DOUBLE_EQ(cost.head.seconds, cost.first_model.seconds + fits + validation + 1 + shown);
  EXPECT_DOUBLE_EQ(cost.whole.seconds, cost.head.seconds);
  EXPECT_DOUBLE_EQ(cost.refit.seconds, 300 * 0.03125 + 2);
  facts.fits = 1;  // it was asked for
  EXPECT_DOUBLE_EQ(cost_of(facts).head.seconds, cost.head.seconds - fits);
  EXPECT_EQ(cost_of(facts).refit.seconds, 0);
}

TEST(RunCost, FineTuningIsATrialAndEpochs) {
  const RunCost cost = cost_of(facts_of_a_run());
  const double epoch = 400 * (0.0625 + 0.00390625) + 100 * 0.015625;
  EXPECT_DOUBLE_EQ(cost.epoch.seconds, epoch);
  // A third of the trial's photos judges; each way learns from the rest, as often as in the run.
  const double look = 0.015625 / 4 + 0.001953125;
  const double way = 0.25 + 0.5 + 3 * 200 * (0.0078125 + 0.001953125) + 100 * look;
  EXPECT_DOUBLE_EQ(cost.trial.seconds, 300 * (0.015625 + look) + 2 * 0.5 + 0.5 * 2 + 2 * way);
  const double again = 0.5 + 400 * 0.03125;  // features of the final weights, for rejection
  EXPECT_NEAR(cost.whole.seconds, cost.head.seconds + cost.trial.seconds + 0.75 + 3 * epoch + 100 * 0.015625 + again, 1e-9);
}

TEST(RunCost, ALargerInputIsTriedAndMayWin) {
  RunFacts facts = facts_of_a_run();
  const RunCost asked = cost_of(facts);
  facts.sizes = true;
  const RunCost stays = cost_of(facts);
  const double times = 288.0 * 288 / (224 * 224);
  const double tried = 0.5 + 100 * (0.03125 + (times - 1) * 0.015625) + 2 * 0.25 * 2;
  EXPECT_NEAR(stays.head.seconds, asked.head.seconds + tried, 1e-9);
  EXPECT_NEAR(stays.whole.seconds, asked.whole.seconds + tried, 1e-9);

  SizeCosts larger = measured();
  larger.pixels *= 4;
  larger.network.look = of(0.0625);
  larger.network.features = of(0.078125);
  const RunCost grows = cost_of_run(facts, of(0.125), measured(), &larger, kHead);
  EXPECT_EQ(grows.first_model.seconds, stays.first_model.seconds);  // that is there before
  EXPECT_DOUBLE_EQ(grows.refit.seconds, 300 * 0.078125 + 2);
  const double trial = 3 * 100 * 0.015625 - (times - 1) * 100 * 0.015625;
  const double validation = 100 * (0.078125 - 0.03125);
  const double shown = 10 * (0.078125 + 0.0625 - 0.03125 - 0.015625);
  EXPECT_NEAR(grows.head.seconds, stays.head.seconds + trial + grows.refit.seconds + validation + shown, 1e-9);
  EXPECT_GT(grows.epoch.seconds, stays.epoch.seconds);
}

TEST(RunCost, HoldingOutComparesAllPhotosFirst) {
  RunFacts facts = facts_of_a_run();
  const RunCost given = cost_of(facts);
  facts.holds_out = true;
  // What is then read from the disk first is read for comparing.
  EXPECT_NEAR(cost_of(facts).head.seconds, given.head.seconds + 500 * 0.0078125, 1e-9);
}

TEST(RunCost, MemoryGrowsWithWhatLearns) {
  RunFacts facts = facts_of_a_run();
  const std::int64_t full = cost_of(facts).bytes;
  facts.scope = Scope::kHead;
  const std::int64_t head = cost_of(facts).bytes;
  EXPECT_GT(full, head);
  facts.val *= 2;
  EXPECT_EQ(cost_of(facts).bytes, head + 100 * kPixels);
  facts.val = 1'000'000;  // kept pixels have a ceiling
  EXPECT_LT(cost_of(facts).bytes, head + (std::int64_t{1} << 30) + 1);
}

TEST(RunFacts, AreWhatTheRecipeDecides) {
  TrainOptions options;
  const RunFacts facts = facts_of(options, 1000, 0, 4);
  EXPECT_TRUE(facts.holds_out);
  EXPECT_EQ(facts.train, 800);
  EXPECT_EQ(facts.val, 200);
  EXPECT_EQ(facts.epochs, training::plan_epochs(800, 4, true).epochs);
  EXPECT_EQ(facts.ways.size(), training::tuning_ways(options, facts.epochs * 800).size());
  EXPECT_EQ(facts.fit_trial, training::fit_trial_size(800));
  EXPECT_LE(facts.trial, training::trial_size(facts.epochs * 800));
  EXPECT_GE(2 * facts.trial, training::trial_size(facts.epochs * 800));
  options.epochs = 7;
  options.lr = 1e-3;  // one way is left
  options.fit = FitChoice::kSquash;
  options.size = 160;
  options.batchnorm = BatchNormMode::kFrozen;
  const RunFacts told = facts_of(options, 1000, 50, 4);
  EXPECT_FALSE(told.holds_out);
  EXPECT_EQ(told.train, 1000);
  EXPECT_EQ(told.epochs, 7);
  EXPECT_EQ(facts.fits, static_cast<int>(training::fit_candidates(TrainOptions{}, {}).size()));
  EXPECT_EQ(told.fits, 1);
  EXPECT_TRUE(facts.sizes);
  EXPECT_FALSE(told.sizes);
  EXPECT_EQ(told.trial, 0);
}

TEST(RunFacts, TooFewPhotosForATrial) { EXPECT_EQ(facts_of(TrainOptions{}, 60, 20, 3).trial, 0); }

}  // namespace
}  // namespace fovea::estimate
