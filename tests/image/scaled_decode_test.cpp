// SPDX-License-Identifier: Apache-2.0
// What decoding a JPEG at a fraction of its size costs: the difference from decoding it whole, after both were fitted
// to the network's rectangle. The bound that these tests keep is the one that decode.h states.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/file.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/pictures.h"
#include "image/preprocess.h"
#include "support/paths.h"

namespace fovea {
namespace {

constexpr double kMeanBound = 1.1;  // stated in decode.h

TEST(ScaledDecode, TakesTheSmallestOfTheFastSizesThatKeepsTheHeadroom) {
  const auto jpeg = encode_jpeg(test::test_card(801, 640), 90);
  const auto width_for = [&](int needed) { return decode_image(jpeg, {.shorter_side_needed = needed})->width; };
  const int eighth = 80 / kScaledDecodeHeadroom;
  EXPECT_EQ(width_for(0), 801);
  EXPECT_EQ(width_for(eighth), 101);
  EXPECT_EQ(width_for(eighth + 1), 201);
  EXPECT_EQ(width_for(2 * eighth), 201);
  EXPECT_EQ(width_for(2 * eighth + 1), 401);
  EXPECT_EQ(width_for(4 * eighth + 1), 801);
}

TEST(ScaledDecode, OtherFormatsKeepTheirSize) {
  EXPECT_EQ(decode_image(encode_png(test::test_card(400, 300)), {.shorter_side_needed = 10})->width, 400);
}

TEST(ScaledDecode, RealPhotosStayWithinTheBound) {
  FOVEA_NEEDS_SHARED("data/weather");
  const Preprocess preprocess{.height = 224, .width = 224, .fit = Fit::kSquash, .filter = Filter::kBilinear};
  const DecodeOptions scaled{.shorter_side_needed = shorter_side_needed(preprocess)};
  double sum = 0;
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::shared_path("data/weather"))) {
    if (!entry.is_regular_file()) continue;
    const auto bytes = read_file(entry.path(), std::size_t{64} << 20);
    ASSERT_TRUE(bytes.ok());
    const auto info = read_image_info(*bytes);
    // Below 2 * headroom * 224 nothing is scaled; very large photos would only take long.
    if (!info || info->format != ImageFormat::kJpeg || std::min(info->width, info->height) < 2 * kScaledDecodeHeadroom * 224 ||
        info->width * info->height > 3'000'000) {
      continue;
    }
    const auto small = decode_image(*bytes, scaled);
    const auto whole = decode_image(*bytes);
    ASSERT_TRUE(small.ok() && whole.ok()) << entry.path();
    ASSERT_LT(small->width, whole->width) << entry.path();
    const double mean = test::difference(fit_image(*small, preprocess), fit_image(*whole, preprocess)).mean;
    EXPECT_LT(mean, kMeanBound) << entry.path();
    sum += mean;
    ++count;
  }
  ASSERT_GT(count, 10);
  RecordProperty("mean_levels", std::to_string(sum / count));
  EXPECT_LT(sum / count, 0.5);
}

}  // namespace
}  // namespace fovea
