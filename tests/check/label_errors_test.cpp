// SPDX-License-Identifier: Apache-2.0
#include "check/label_errors.h"

#include <gmock/gmock.h>

#include <numeric>
#include <set>

#include "core/rng.h"

namespace fovea::checking {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using training::Table;

std::vector<std::int32_t> rows_of(const std::vector<SuspectLabel>& suspects) {
  std::vector<std::int32_t> rows;
  for (const SuspectLabel& suspect : suspects) rows.push_back(suspect.row);
  return rows;
}

TEST(LabelErrors, TheMostSuspiciousComesFirst) {
  const Table probabilities{2, {0.9F, 0.1F, 0.8F, 0.2F, 0.3F, 0.7F, 0.1F, 0.9F, 0.2F, 0.8F, 0.95F, 0.05F}};
  const std::vector<std::int32_t> labels{0, 0, 0, 1, 1, 1};
  // Means: class 0 (0.9 + 0.8 + 0.3) / 3 = 0.667, class 1 (0.9 + 0.8 + 0.05) / 3 = 0.583.
  const auto suspects = find_label_errors(probabilities, labels, {true, true});
  ASSERT_THAT(rows_of(suspects), ElementsAre(5, 2));
  EXPECT_EQ(suspects[0].predicted, 0);
  EXPECT_FLOAT_EQ(suspects[0].probability, 0.95F);
  EXPECT_FLOAT_EQ(suspects[0].label_probability, 0.05F);
}

TEST(LabelErrors, AClassThatIsNeverSureDoesNotFillTheList) {
  // Every photo labelled 0 looks like class 1 at 0.55, but class 1's own photos reach 0.99.
  Table probabilities{2, {}};
  std::vector<std::int32_t> labels;
  for (int n = 0; n < 20; ++n) {
    const float of_one = n < 10 ? 0.55F : 0.99F;
    probabilities.values.insert(probabilities.values.end(), {1 - of_one, of_one});
    labels.push_back(n < 10 ? 0 : 1);
  }
  EXPECT_THAT(find_label_errors(probabilities, labels, {true, true}), IsEmpty());
}

TEST(LabelErrors, ClassesThatAreNotJudgedAreNeitherAccusedNorAccusing) {
  const Table probabilities{3, {0.1F, 0.9F, 0, 0.9F, 0.1F, 0, 0.9F, 0.1F, 0, 0, 0, 1}};
  const std::vector<std::int32_t> labels{0, 0, 1, 2};
  EXPECT_THAT(find_label_errors(probabilities, labels, {true, false, true}), IsEmpty());
}

TEST(LabelErrors, CopiesOfOnePhotoAreOneWhenClassesAreJudged) {
  const std::vector<std::int32_t> labels{0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  const std::vector<std::int32_t> groups{0, 1, 2, 3, 4, 5, 6, 7, 8, 8};
  EXPECT_THAT(judged_classes(labels, groups, 2), ElementsAre(true, false));
}

/// Three clouds of points, two standard deviations of the noise along each axis from the middle.
struct Clouds {
  static constexpr std::int64_t kWidth = 24;
  static constexpr int kPhotos = 300;
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<std::int32_t> groups = std::vector<std::int32_t>(kPhotos);
  std::set<std::int32_t> flipped;

  explicit Clouds(int every) {
    std::iota(groups.begin(), groups.end(), 0);
    Rng rng(3);
    for (int n = 0; n < kPhotos; ++n) {
      const int shown = n % 3;
      for (std::int64_t i = 0; i < kWidth; ++i) features.push_back((i % 3 == shown ? 2.0F : 0.0F) + rng.normal());
      const bool flip = every > 0 && n % every == 0;
      labels.push_back(flip ? (shown + 1) % 3 : shown);
      if (flip) flipped.insert(n);
    }
  }
  [[nodiscard]] std::vector<SuspectLabel> suspects() const {
    const Context context;
    const auto probabilities = held_out_probabilities(context, {features, labels, kWidth, 3}, groups, 1);
    return find_label_errors(probabilities, labels, judged_classes(labels, groups, 3));
  }
};

TEST(LabelErrors, FlippedLabelsLeadTheList) {
  const Clouds clouds(20);
  const auto suspects = clouds.suspects();
  // How many are wrong is an estimate for each of three pairs of classes, each rounded.
  ASSERT_NEAR(static_cast<double>(suspects.size()), static_cast<double>(clouds.flipped.size()), 3);
  // Two means are sqrt(8 * 2 * 2 * 2) = 8 standard deviations apart, so a photo beyond the middle is a matter of 1 in 30,000.
  const std::size_t sure = std::min(suspects.size(), clouds.flipped.size());
  for (std::size_t i = 0; i < sure; ++i) EXPECT_TRUE(clouds.flipped.contains(suspects[i].row)) << i;
}

/// Photos that show each of three things or do not, along directions of their own.
struct LabelSets {
  static constexpr std::int64_t kWidth = 24;
  static constexpr int kPhotos = 300;
  static constexpr std::size_t kClasses = 3;
  std::vector<float> features;
  std::vector<std::uint8_t> targets;
  std::vector<std::int32_t> homes;  // folds are spread over these
  std::vector<std::int32_t> groups = std::vector<std::int32_t>(kPhotos);
  std::set<std::pair<std::int32_t, std::int32_t>> changed;  // row and label

  explicit LabelSets(int every) {
    std::iota(groups.begin(), groups.end(), 0);
    Rng rng(5);
    for (int n = 0; n < kPhotos; ++n) {
      const auto shows = [&](std::int64_t k) { return (n >> k & 1) != 0; };
      for (std::int64_t i = 0; i < kWidth; ++i) features.push_back((shows(i % 3) ? 2.5F : 0.0F) + rng.normal());
      for (std::int64_t k = 0; k < 3; ++k) targets.push_back(shows(k) ? 1 : 0);
      homes.push_back(n % 8 == 0 ? 3 : 0);
      if (every == 0 || n % every != 0) continue;
      const std::int32_t label = n / every % 3;
      targets[static_cast<std::size_t>(n) * kClasses + static_cast<std::size_t>(label)] ^= 1U;
      changed.emplace(n, label);
    }
  }
  [[nodiscard]] std::vector<SuspectTarget> suspects() const {
    const Context context;
    const auto probabilities = held_out_label_probabilities(context, {features, homes, kWidth, kClasses, targets}, groups, 1);
    return find_target_errors(probabilities, targets, judged_labels(targets, groups, kClasses));
  }
};

TEST(LabelErrors, OfAnyNumberOfLabelsEachIsAQuestionOfItsOwn) {
  const LabelSets sets(20);
  const auto suspects = sets.suspects();
  // How many are wrong is estimated for each yes and each no, of which two or three were changed: about half of them are found.
  ASSERT_GE(2 * suspects.size(), sets.changed.size());
  ASSERT_LE(suspects.size(), sets.changed.size());
  // Yes and no are 2.5 sqrt(8) = 7 standard deviations apart: beyond the middle lies 1 in 4,000.
  for (std::size_t i = 0; i + 1 < suspects.size(); ++i) {
    const SuspectTarget& suspect = suspects[i];
    EXPECT_TRUE(sets.changed.contains({suspect.row, suspect.label})) << i;
    const auto place = static_cast<std::size_t>(suspect.row) * LabelSets::kClasses + static_cast<std::size_t>(suspect.label);
    EXPECT_EQ(suspect.missing, sets.targets[place] == 0) << i;
  }
  EXPECT_THAT(LabelSets(0).suspects(), testing::SizeIs(testing::Le(1)));
}

TEST(LabelErrors, ALabelThatAllPhotosHaveIsNotJudged) {
  const std::vector<std::uint8_t> targets{1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  std::vector<std::int32_t> groups(10);
  std::iota(groups.begin(), groups.end(), 0);
  EXPECT_THAT(judged_labels(targets, groups, 2), ElementsAre(false, true));
}

TEST(LabelErrors, RightLabelsAreLeftAlone) { EXPECT_THAT(Clouds(0).suspects(), IsEmpty()); }

}  // namespace
}  // namespace fovea::checking
