// SPDX-License-Identifier: Apache-2.0
#include "scale/view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace fovea::checkout {
namespace {

using namespace std::chrono_literals;

/// A table with a gradient of light, noise of the camera, and a disc of another colour on it.
Image scene(double radius, double light, unsigned noise_seed, int width = 640, int height = 480) {
  Image image(width, height);
  std::mt19937 random(noise_seed);
  std::normal_distribution<double> noise(0, width < 200 ? 2 : 6);  // few pixels a block average less of it away
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double dx = (x - width / 2.0) / height;
      const double dy = (y - height / 2.0) / height;
      const bool disc = dx * dx + dy * dy < radius * radius;
      const double base = 120 + 50.0 * x / width;
      const double rgb[3] = {disc ? 200 : base, disc ? 170 : base, disc ? 30 : base * 0.9};
      for (int c = 0; c < 3; ++c) {
        image.row(y)[3 * x + c] = static_cast<std::uint8_t>(std::clamp(rgb[c] * light + noise(random), 0.0, 255.0));
      }
    }
  }
  return image;
}

TEST(View, NoiseIsNoMovement) {
  EXPECT_LT(share_changed(view_of(scene(0.2, 1, 1)), view_of(scene(0.2, 1, 2)), kMotionLevels), 0.001);
}

TEST(View, BlocksAreMeans) {
  const View view = view_of(scene(0, 1, 1));
  // A block has 100 samples of deviation 6: the mean's is 0.6; five of them are never seen in 3072 blocks.
  for (int bx = 0; bx < View::kWidth; ++bx) {
    EXPECT_NEAR(view.levels[static_cast<std::size_t>(3 * bx)], 120 + 50.0 * (10 * bx + 4.5) / 640, 3.0) << bx;
  }
}

TEST(View, AnItemIsSeenByItsSize) {
  // A disc of radius 0.2 heights covers pi 0.04 of 4 / 3 squares of a height.
  EXPECT_NEAR(share_changed(view_of(scene(0, 1, 1)), view_of(scene(0.2, 1, 2)), kEmptyLevels), 0.0942, 0.01);
  // Garlic in a wide view.
  EXPECT_GT(share_changed(view_of(scene(0, 1, 1)), view_of(scene(0.08, 1, 2)), kEmptyLevels), 0.01);
}

TEST(View, MoreLightIsNoItem) {
  for (const double light : {0.6, 0.8, 1.2}) {
    EXPECT_LT(share_changed(view_of(scene(0, 1, 1)), view_of(scene(0, light, 2)), kEmptyLevels), 0.005) << light;
    EXPECT_GT(share_changed(view_of(scene(0, 1, 1)), view_of(scene(0.2, light, 2)), kEmptyLevels), 0.03) << light;
  }
}

TEST(View, AnyShapeOfPictureWillDo) {
  for (const auto& [width, height] : {std::pair{1, 1}, std::pair{63, 7}, std::pair{7, 1000}, std::pair{1921, 1081}}) {
    const View view = view_of(scene(0.2, 1, 1, width, height));
    EXPECT_EQ(share_changed(view, view, kMotionLevels), 0);
  }
}

TEST(EmptyView, FollowsSlowLightAndNotAnItem) {
  EmptyView empty;
  EXPECT_FALSE(empty.difference(view_of(scene(0, 1, 1))).has_value());
  empty.learn(view_of(scene(0, 1, 1, 192, 144)));
  // A shadow that one factor cannot explain grows over half of the view within five minutes.
  const auto shadowed = [](double depth, unsigned seed) {
    Image image = scene(0, 1, seed, 192, 144);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < 3 * image.width / 2; ++x) image.row(y)[x] = static_cast<std::uint8_t>(image.row(y)[x] * (1 - depth));
    }
    return view_of(image);
  };
  EXPECT_GT(*empty.difference(shadowed(0.4, 2)), 0.1);
  for (int second = 0; second <= 300; second += 3) {
    const View now = shadowed(0.4 * second / 300, static_cast<unsigned>(second));
    ASSERT_LT(*empty.difference(now), 0.005) << second;
    empty.adapt(now, 3000ms);
  }
}

}  // namespace
}  // namespace fovea::checkout
