// SPDX-License-Identifier: Apache-2.0
#include "data/augment.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "data/photos.h"

namespace fovea {
namespace {

using testing::ElementsAre;

// Every pixel tells where it is: red its column, green its row.
Image coordinates(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.row(y)[3 * x] = static_cast<std::uint8_t>(x);
      image.row(y)[3 * x + 1] = static_cast<std::uint8_t>(y);
    }
  }
  return image;
}

Preprocess input(int height, int width, Fit fit) {
  Preprocess preprocess;
  preprocess.height = height;
  preprocess.width = width;
  preprocess.fit = fit;
  return preprocess;
}

AugmentPolicy crop_policy(float min_area, float max_area = 1) {
  AugmentPolicy policy;
  policy.random_crop = true;
  policy.min_area = min_area;
  policy.max_area = max_area;
  return policy;
}

TEST(Augment, WithoutAPolicyItIsTheFitOfPrediction) {
  const Image photo = test::random_photo(50, 40, 1);
  for (const Fit fit : {Fit::kLetterbox, Fit::kCrop, Fit::kSquash}) {
    Rng rng(1);
    EXPECT_EQ(augment(photo, input(24, 24, fit), AugmentPolicy{}, rng).pixels, fit_image(photo, input(24, 24, fit)).pixels);
  }
}

TEST(Augment, SameKeySamePicture) {
  const Image photo = test::random_photo(60, 50, 2);
  for (const AugmentStrength strength : {AugmentStrength::kLight, AugmentStrength::kMedium, AugmentStrength::kStrong}) {
    Rng one(1, 2, 3);
    Rng same(1, 2, 3);
    Rng other(1, 2, 4);
    const auto policy = augment_policy(strength);
    const Image first = augment(photo, input(32, 32, Fit::kCrop), policy, one);
    EXPECT_EQ(first.pixels, augment(photo, input(32, 32, Fit::kCrop), policy, same).pixels);
    EXPECT_NE(first.pixels, augment(photo, input(32, 32, Fit::kCrop), policy, other).pixels);
  }
}

TEST(Augment, FlipsMirrorExactlyAndHalfTheTime) {
  const Image photo = coordinates(5, 4);
  AugmentPolicy policy;
  policy.horizontal_flip = 1;
  Rng rng(1);
  const Image mirrored = augment(photo, input(4, 5, Fit::kSquash), policy, rng);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 5; ++x) EXPECT_EQ(mirrored.row(y)[3 * x], 4 - x);
  }
  policy = {};
  policy.vertical_flip = 0.5F;
  int flipped = 0;
  constexpr int kTrials = 2000;
  for (std::uint32_t i = 0; i < kTrials; ++i) {
    Rng each(9, 0, i);
    flipped += augment(photo, input(4, 5, Fit::kSquash), policy, each).row(0)[1] == 3 ? 1 : 0;
  }
  EXPECT_NEAR(flipped, kTrials / 2, 5 * std::sqrt(kTrials / 4.0));  // five deviations of the binomial
}

// The extent of the source that a result shows, from the coordinates painted into it.
struct Extent {
  double width = 0;
  double height = 0;
};
Extent extent_of(const Image& result) {
  const auto range = [&](int channel, bool along_x) {
    const int steps = (along_x ? result.width : result.height) - 1;
    const int first = result.row(0)[channel];
    const int last = (along_x ? result.row(0) + 3 * steps : result.row(steps))[channel];
    return (last - first) * static_cast<double>(steps + 1) / steps;
  };
  return {range(0, true), range(1, false)};
}

TEST(RandomCrop, AreaAndAspectHaveTheirDistributions) {
  const Image photo = coordinates(200, 200);
  const AugmentPolicy policy = crop_policy(0.1F, 0.4F);  // small enough that every aspect fits
  std::vector<double> areas;
  std::vector<double> logs;
  constexpr int kTrials = 1500;
  for (std::uint32_t i = 0; i < kTrials; ++i) {
    Rng rng(4, 0, i);
    const Extent extent = extent_of(augment(photo, input(50, 50, Fit::kCrop), policy, rng));
    areas.push_back(extent.width * extent.height / 40000);
    logs.push_back(std::log(extent.width / extent.height));
  }
  // The painted coordinates are whole levels: an extent of 55 or more is off by at most 1.02 pixels, an area by under 5 %.
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / kTrials;
  };
  EXPECT_GT(*std::ranges::min_element(areas), 0.1 * 0.95);
  EXPECT_LT(*std::ranges::max_element(areas), 0.4 * 1.05);
  // Uniform on [0.1, 0.4]: mean 0.25, deviation 0.0866; five standard errors and a level's bias.
  EXPECT_NEAR(mean(areas), 0.25, 5 * 0.0866 / std::sqrt(kTrials) + 0.004);
  // Log-uniform on [3/4, 4/3]: deviation 0.166.
  EXPECT_NEAR(mean(logs), 0, 5 * 0.166 / std::sqrt(kTrials) + 0.005);
  EXPECT_LT(*std::ranges::max_element(logs), std::log(4.0 / 3) + 0.04);
  EXPECT_GT(*std::ranges::max_element(logs), std::log(4.0 / 3) - 0.04);
}

TEST(RandomCrop, FallsBackToTheCentreWhenNothingFits) {
  // Whole area, but a photo far wider than 4/3: no try can fit.
  const Image photo = coordinates(240, 20);
  Rng rng(1);
  const Image result = augment(photo, input(20, 20, Fit::kCrop), crop_policy(1), rng);
  EXPECT_NEAR(result.row(0)[0], (240 - 27) / 2, 1);
  EXPECT_NEAR(result.row(0)[3 * 19], (240 + 27) / 2, 1);
}

TEST(RandomCrop, KeepsThePhotosOwnShapeWhereTheFitDoes) {
  const Image photo = coordinates(240, 120);
  for (std::uint32_t i = 0; i < 100; ++i) {
    Rng rng(5, 0, i);
    const Extent extent = extent_of(augment(photo, input(60, 60, Fit::kSquash), crop_policy(0.3F), rng));
    EXPECT_GT(extent.width / extent.height, 2 * 0.75 * 0.93);
    EXPECT_LT(extent.width / extent.height, 2 / 0.75 * 1.07);
    Rng again(5, 0, i);
    const Image boxed = augment(photo, input(60, 60, Fit::kLetterbox), crop_policy(0.3F), again);
    EXPECT_EQ(boxed.row(0)[2], 128);  // wider than high: a grey border above
    EXPECT_EQ(boxed.row(30)[2], 0);
  }
}

TEST(RandomErase, BlanksOneRectangleOfTheRightSize) {
  AugmentPolicy policy;
  policy.erase = 1;
  constexpr int kHeight = 40;
  constexpr int kWidth = 50;
  for (std::uint32_t i = 0; i < 300; ++i) {
    std::vector<float> pixels(kHeight * kWidth * 3, 1);
    Rng rng(6, 0, i);
    random_erase(pixels, kHeight, kWidth, policy, rng);
    int left = kWidth, right = 0, top = kHeight, bottom = 0, blank = 0;
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        if (pixels[static_cast<std::size_t>(3 * (y * kWidth + x))] != 0) continue;
        ++blank;
        left = std::min(left, x), right = std::max(right, x + 1), top = std::min(top, y), bottom = std::max(bottom, y + 1);
      }
    }
    ASSERT_GT(blank, 0);
    EXPECT_EQ(blank, (right - left) * (bottom - top));
    EXPECT_EQ(std::ranges::count(pixels, 0.0F), 3 * blank);
    // Sides are rounded: half a pixel each.
    const double area = kHeight * kWidth;
    EXPECT_GE((right - left + 0.5) * (bottom - top + 0.5), 0.02 * area);
    EXPECT_LE((right - left - 0.5) * (bottom - top - 0.5), 0.33 * area);
  }
}

TEST(RandomErase, HappensAsOftenAsAsked) {
  AugmentPolicy policy;
  policy.erase = 0.3F;
  int erased = 0;
  constexpr int kTrials = 2000;
  for (std::uint32_t i = 0; i < kTrials; ++i) {
    std::vector<float> pixels(20 * 20 * 3, 1);
    Rng rng(7, 0, i);
    random_erase(pixels, 20, 20, policy, rng);
    erased += std::ranges::count(pixels, 0.0F) > 0 ? 1 : 0;
  }
  EXPECT_NEAR(erased, 0.3 * kTrials, 5 * std::sqrt(kTrials * 0.3 * 0.7));
}

// Rows of constant value i with one-hot target i; the last one weighs nothing.
struct TestBatch {
  static constexpr int kRows = 4;
  static constexpr int kSide = 8;
  std::vector<float> images = std::vector<float>(kRows * kSide * kSide * 3);
  std::vector<float> targets = std::vector<float>(kRows * kRows);
  std::vector<float> weights{1, 2, 1, 0};
  TestBatch() {
    for (std::size_t i = 0; i < kRows; ++i) {
      std::fill_n(images.begin() + static_cast<std::ptrdiff_t>(i * kSide * kSide * 3), kSide * kSide * 3, static_cast<float>(i));
      targets[i * kRows + i] = 1;
    }
  }
  [[nodiscard]] std::span<const float> image(std::size_t i) const {
    return std::span(images).subspan(i * kSide * kSide * 3, kSide * kSide * 3);
  }
  [[nodiscard]] std::span<const float> target(std::size_t i) const { return std::span(targets).subspan(i * kRows, kRows); }
  void mix(const AugmentPolicy& policy, Rng& rng) { mix_batch({images, targets, weights, kSide, kSide}, policy, rng); }
};

TEST(MixBatch, MixupBlendsEachWithTheNextThatCounts) {
  AugmentPolicy policy;
  policy.mixup = 1;
  Rng rng(8);
  TestBatch batch;
  batch.mix(policy, rng);
  const float own = batch.target(0)[0];
  EXPECT_GT(own, 0);
  EXPECT_LT(own, 1);
  EXPECT_THAT(batch.target(0), ElementsAre(own, 1 - own, 0, 0));
  EXPECT_THAT(batch.target(2), ElementsAre(1 - own, 0, own, 0));
  EXPECT_THAT(batch.target(3), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(batch.image(0), testing::Each(testing::FloatNear(1 - own, 1e-6F)));
  EXPECT_THAT(batch.image(1), testing::Each(testing::FloatNear(own + 2 * (1 - own), 1e-6F)));
  EXPECT_THAT(batch.image(2), testing::Each(testing::FloatNear(2 * own, 1e-6F)));
  EXPECT_THAT(batch.image(3), testing::Each(3.0F));
}

TEST(MixBatch, CutmixTargetsSayWhatIsSeen) {
  AugmentPolicy policy;
  policy.cutmix = 1;
  int mixed = 0;
  for (std::uint32_t i = 0; i < 50; ++i) {
    Rng rng(9, 0, i);
    TestBatch batch;
    batch.mix(policy, rng);
    constexpr float kSize = TestBatch::kSide * TestBatch::kSide * 3;
    for (std::size_t row = 0; row < 3; ++row) {
      const auto next = static_cast<float>((row + 1) % 3);
      const auto pasted = static_cast<float>(std::ranges::count(batch.image(row), next));
      EXPECT_EQ(static_cast<float>(std::ranges::count(batch.image(row), static_cast<float>(row))) + pasted, kSize);
      EXPECT_NEAR(batch.target(row)[(row + 1) % 3], pasted / kSize, 1e-6F);
      EXPECT_NEAR(batch.target(row)[row], 1 - pasted / kSize, 1e-6F);
    }
    mixed += batch.target(0)[1] > 0 ? 1 : 0;
  }
  EXPECT_GT(mixed, 25);
}

TEST(MixBatch, DrawsFromTheBetaDistribution) {
  for (const float alpha : {0.2F, 1.0F, 4.0F}) {
    AugmentPolicy policy;
    policy.mixup = alpha;
    constexpr int kTrials = 4000;
    double sum = 0;
    double squares = 0;
    for (std::uint32_t i = 0; i < kTrials; ++i) {
      Rng rng(10, 0, i);
      std::vector<float> images{0, 1};
      std::vector<float> targets{1, 0, 0, 1};
      const std::vector<float> weights{1, 1};
      mix_batch({images, targets, weights, 1, 1}, policy, rng);
      sum += targets[0];
      squares += targets[0] * targets[0];
    }
    // Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)); its own spread is below that of a value in [0, 1/4].
    const double variance = 1 / (4 * (2 * alpha + 1));
    const double mean = sum / kTrials;
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(variance / kTrials)) << alpha;
    EXPECT_NEAR(squares / kTrials - mean * mean, variance, 5 * 0.125 / std::sqrt(kTrials)) << alpha;
  }
}

TEST(MixBatch, LeavesAloneWhatItShould) {
  const TestBatch before;
  AugmentPolicy policy;
  policy.mixup = policy.cutmix = 1;
  policy.mix_probability = 0;
  Rng rng(11);
  TestBatch batch;
  batch.mix(policy, rng);
  EXPECT_EQ(batch.images, before.images);
  policy.mix_probability = 1;
  batch.weights = {0, 1, 0, 0};
  batch.mix(policy, rng);
  EXPECT_EQ(batch.images, before.images);
  EXPECT_EQ(batch.targets, before.targets);
}

TEST(AugmentStrength, NamesGoBothWays) {
  for (const AugmentStrength strength :
       {AugmentStrength::kNone, AugmentStrength::kLight, AugmentStrength::kMedium, AugmentStrength::kStrong}) {
    EXPECT_EQ(augment_strength_from(name_of(strength)), strength);
  }
  EXPECT_FALSE(augment_strength_from("extreme").has_value());
  EXPECT_EQ(augment_policy(AugmentStrength::kNone), AugmentPolicy{});
}

}  // namespace
}  // namespace fovea
