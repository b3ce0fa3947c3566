// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/file.h"
#include "data/affine.h"
#include "data/colour.h"
#include "data/photos.h"
#include "data/randaugment.h"

namespace fovea {
namespace {

struct Golden {
  std::string name;
  double argument = 0;
  int magnitude = -1;
  bool negative = false;
  std::size_t source = 0;
  Image expected;
};

// Layout in tools/make_augment_goldens.py.
class GoldenFile {
 public:
  GoldenFile() {
    auto file = read_file(test::test_data("data/golden/augment.bin"), std::size_t{1} << 20);
    if (!file) throw std::runtime_error(file.error().message);
    bytes_ = std::move(*file);
    sources.resize(count());
    for (Image& source : sources) {
      const int width = next<std::int32_t>();
      source = image(width, next<std::int32_t>());
    }
    cases.resize(count());
    for (Golden& golden : cases) {
      const std::size_t length = count();
      golden.name.assign(reinterpret_cast<const char*>(take(length)), length);
      golden.argument = next<double>();
      golden.magnitude = next<std::int32_t>();
      golden.negative = next<std::int32_t>() != 0;
      golden.source = count();
      golden.expected = image(sources.at(golden.source).width, sources.at(golden.source).height);
    }
  }
  std::vector<Image> sources;
  std::vector<Golden> cases;

 private:
  const std::byte* take(std::size_t size) {
    if (bytes_.size() - at_ < size) throw std::runtime_error("augment.bin is too short");
    return bytes_.data() + std::exchange(at_, at_ + size);
  }
  template <class T>
  T next() {
    T value{};
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  std::size_t count() { return static_cast<std::size_t>(next<std::int32_t>()); }
  Image image(int width, int height) {
    Image out(width, height);
    std::memcpy(out.pixels.data(), take(out.pixels.size()), out.pixels.size());
    return out;
  }
  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
};

const std::map<std::string, std::function<void(Image&, float)>>& simple_ops() {
  static const std::map<std::string, std::function<void(Image&, float)>> ops{{"brightness", adjust_brightness},
                                                                             {"contrast", adjust_contrast},
                                                                             {"saturation", adjust_saturation},
                                                                             {"sharpness", adjust_sharpness},
                                                                             {"hue", shift_hue}};
  return ops;
}

const std::map<std::string, AugmentOp>& randaugment_ops() {
  static const std::map<std::string, AugmentOp> ops{
      {"IDENTITY", AugmentOp::kIdentity},         {"SHEARX", AugmentOp::kShearX},         {"SHEARY", AugmentOp::kShearY},
      {"TRANSLATEX", AugmentOp::kTranslateX},     {"TRANSLATEY", AugmentOp::kTranslateY}, {"ROTATE", AugmentOp::kRotate},
      {"BRIGHTNESS", AugmentOp::kBrightness},     {"COLOR", AugmentOp::kColor},           {"CONTRAST", AugmentOp::kContrast},
      {"SHARPNESS", AugmentOp::kSharpness},       {"POSTERIZE", AugmentOp::kPosterize},   {"SOLARIZE", AugmentOp::kSolarize},
      {"AUTOCONTRAST", AugmentOp::kAutoContrast}, {"EQUALIZE", AugmentOp::kEqualize},
  };
  return ops;
}

int largest_difference(const Image& a, const Image& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  return largest;
}

// One level: Pillow truncates where exact arithmetic may land on either side of a whole number.
TEST(AugmentOps, AgreeWithPillowWithinOneLevel) {
  const GoldenFile goldens;
  ASSERT_GT(goldens.cases.size(), 100U);
  for (const Golden& golden : goldens.cases) {
    SCOPED_TRACE(golden.name + " " + std::to_string(golden.argument) + " bin " + std::to_string(golden.magnitude) +
                 (golden.negative ? " negative" : "") + " source " + std::to_string(golden.source));
    Image image = goldens.sources.at(golden.source);
    if (golden.magnitude < 0) {
      simple_ops().at(golden.name)(image, static_cast<float>(golden.argument));
    } else {
      apply_op(image, randaugment_ops().at(golden.name), golden.magnitude, golden.negative);
    }
    EXPECT_LE(largest_difference(image, golden.expected), 1);
  }
}

TEST(AugmentOps, EveryOperationHasAGolden) {
  std::map<std::string, int> seen;
  const GoldenFile goldens;
  for (const Golden& golden : goldens.cases) ++seen[golden.name];
  EXPECT_EQ(seen.size(), simple_ops().size() + randaugment_ops().size());
  EXPECT_EQ(randaugment_ops().size(), kAugmentOps);
}

TEST(AugmentOps, DegeneratePicturesStayWhole) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 7}, {7, 1}, {2, 2}}) {
    for (std::uint32_t op = 0; op < kAugmentOps; ++op) {
      Image image = test::random_photo(width, height, op);
      apply_op(image, static_cast<AugmentOp>(op), kLargestMagnitude, true);
      EXPECT_EQ(image.width, width);
      EXPECT_EQ(image.height, height);
    }
  }
}

TEST(RandAugment, GivesTheSameForTheSameKeyAndVariesWithIt) {
  const Image photo = test::random_photo(20, 20, 1);
  const auto varied = [&](std::uint32_t item) {
    Rng rng(3, 0, item);
    Image image = photo;
    for (const PictureStep& step : draw_randaugment(2, 9, image.width, image.height, rng)) apply(image, step);
    return image.pixels;
  };
  int different = 0;
  for (std::uint32_t item = 0; item < 20; ++item) {
    EXPECT_EQ(varied(item), varied(item));
    different += varied(item) != varied(item + 1) ? 1 : 0;
  }
  EXPECT_GT(different, 15);
}

}  // namespace
}  // namespace fovea
