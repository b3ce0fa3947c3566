// SPDX-License-Identifier: Apache-2.0
#include "train/thresholds.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace fovea::training {
namespace {

struct Drawn {
  std::vector<float> probabilities;
  std::vector<std::uint8_t> targets;
  std::size_t classes = 1;
  [[nodiscard]] LabelSetPredictions predictions() const { return {probabilities, targets, classes}; }
};

double f1_at(const LabelSetPredictions& predictions, double threshold) {
  return figures_of(predictions, decide(predictions, std::vector<double>(predictions.classes, threshold))).macro_f1;
}

/// Probabilities that mean what they say, of a label that a tenth of the photos has or so.
Drawn rare_label(int photos, std::uint64_t seed) {
  Drawn drawn;
  Rng rng(seed);
  for (int n = 0; n < photos; ++n) {
    const float u = rng.uniform();
    drawn.probabilities.push_back(u * u * u * 0.6F);
    drawn.targets.push_back(rng.chance(drawn.probabilities.back()) ? 1 : 0);
  }
  return drawn;
}

TEST(Thresholds, LieMidwayWhereTheTwoKindsPart) {
  const Drawn drawn{{0.1F, 0.2F, 0.3F, 0.7F, 0.75F, 0.8F, 0.85F, 0.9F}, {0, 0, 0, 1, 1, 1, 1, 1}};
  EXPECT_NEAR(fit_thresholds(drawn.predictions())[0], 0.5, 1e-7);
}

TEST(Thresholds, NoOtherThresholdHasABetterF1) {
  const Drawn drawn = rare_label(500, 1);
  const double chosen = fit_thresholds(drawn.predictions())[0];
  EXPECT_LT(chosen, 0.4);  // half of F1, which is far from 1 here
  const double best = f1_at(drawn.predictions(), chosen);
  EXPECT_GT(best, 0);
  for (int i = 0; i <= 1000; ++i) EXPECT_LE(f1_at(drawn.predictions(), i * 1e-3), best) << i;
}

TEST(Thresholds, AClassWithFewPhotosSharesThatOfAll) {
  Drawn drawn;
  drawn.classes = 2;
  for (int n = 0; n < 20; ++n) {  // the first class parts at 0.5; the second has one photo, at 0.05
    const bool first = n % 2 == 0;
    drawn.probabilities.push_back(first ? 0.7F : 0.3F);
    drawn.probabilities.push_back(n == 0 ? 0.05F : 0.01F);
    drawn.targets.push_back(first ? 1 : 0);
    drawn.targets.push_back(n == 0 ? 1 : 0);
  }
  const auto thresholds = fit_thresholds(drawn.predictions());
  EXPECT_NEAR(thresholds[0], 0.5, 1e-7);
  EXPECT_EQ(thresholds[1], thresholds[0]);
}

TEST(Thresholds, AreInsideZeroAndOneWhateverCame) {
  for (const float p : {0.0F, 1.0F}) {
    for (const bool target : {false, true}) {
      const Drawn drawn{std::vector<float>(8, p), std::vector<std::uint8_t>(8, target ? 1 : 0)};
      const double threshold = fit_thresholds(drawn.predictions())[0];
      EXPECT_GT(threshold, 0);
      EXPECT_LT(threshold, 1);
    }
  }
  EXPECT_EQ(fit_thresholds({{}, {}, 2}), (std::vector<double>{0.5, 0.5}));
}

TEST(Thresholds, OtherFoldsDoNotFlatter) {
  // Pure noise: F1 of the fitted thresholds looks better on the photos that they were fitted to than it is.
  double own = 0;
  double others = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Drawn drawn;
    Rng rng(seed, 1);
    std::vector<std::int32_t> folds;
    for (int n = 0; n < 40; ++n) {
      drawn.probabilities.push_back(rng.uniform());
      drawn.targets.push_back(rng.chance(0.3F) ? 1 : 0);
      folds.push_back(n % 5);
    }
    own += figures_of(drawn.predictions(), decide(drawn.predictions(), fit_thresholds(drawn.predictions()))).micro_f1;
    others += figures_of(drawn.predictions(), decide_by_other_folds(drawn.predictions(), folds)).micro_f1;
  }
  EXPECT_LT(others, own);
  EXPECT_GT(others, 0);
}

}  // namespace
}  // namespace fovea::training
