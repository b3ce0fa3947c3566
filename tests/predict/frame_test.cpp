// Frames of video and photos of the same content get the same answer.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/rng.h"
#include "fovea/classifier.h"
#include "image/decode.h"
#include "image/yuv.h"
#include "model/model_file.h"
#include "model/registry.h"
#include "model/weights.h"
#include "support/paths.h"

namespace fovea {
namespace {

/// A photo as 4:2:0.
class Frame {
 public:
  explicit Frame(const Image& photo) {
    view.width = photo.width;
    view.height = photo.height;
    const auto weights = rgb_to_yuv(view.matrix, view.full_range);
    for (std::size_t plane = 0; plane < 3; ++plane) {
      const int step = plane == 0 ? 1 : 2;
      view.strides[plane] = (photo.width + step - 1) / step;
      for (int y = 0; y < photo.height; y += step) {
        for (int x = 0; x < photo.width; x += step) {
          const std::uint8_t* rgb = photo.row(y) + 3 * static_cast<std::size_t>(x);
          const YuvRow& w = weights[plane];
          memory_[plane].push_back(static_cast<std::uint8_t>(std::lround(w[0] * rgb[0] + w[1] * rgb[1] + w[2] * rgb[2] + w[3])));
        }
      }
      view.planes[plane] = memory_[plane].data();
    }
  }
  YuvFrame view;

 private:
  std::array<std::vector<std::uint8_t>, 3> memory_;
};

std::filesystem::path write_imagenet_model(const std::filesystem::path& path) {
  const auto backbone = open_backbone(test::shared_path("weights/efficientnet_lite0.safetensors"), "efficientnet_lite0");
  EXPECT_TRUE(backbone.ok()) << backbone.error().message;
  Model model;
  model.architecture = backbone->architecture;
  model.spec = backbone->spec;
  model.preprocess = backbone->preprocess;
  model.preprocess.crop_fraction = 1;  // a picture of the input's size passes as it is
  for (int i = 0; i < backbone->spec.classes; ++i) model.classes.push_back("class " + std::to_string(i));
  model.parameters = ParameterSet(*build_network(model.spec));
  EXPECT_TRUE(fill_parameters(backbone->file, model.spec, model.parameters).ok());
  EXPECT_TRUE(save_model(model, path).ok());
  return path;
}

/// Half of the sum of all classes' differences: 0 for the same answer, 1 for answers that have nothing in common.
double distance(const Answer& a, const Answer& b) {
  double sum = 0;
  for (const Prediction& one : a.predictions) {
    const auto other = std::ranges::find(b.predictions, one.label, &Prediction::label);
    sum += std::abs(one.probability - other->probability);
  }
  return sum / 2;
}

/// Each byte of the picture moved by -1, 0 or 1: rounding it two and a half times over.
Image with_noise(Image picture) {
  Rng rng(1, 2, 3, 4);
  for (std::uint8_t& byte : picture.pixels) {
    byte = static_cast<std::uint8_t>(std::clamp(static_cast<int>(byte) + static_cast<int>(rng.below(3)) - 1, 0, 255));
  }
  return picture;
}

/// The planes' way is as close to the RGB's as rounding to 8 bits allows: over real photos its mean distance is no greater than
/// what noise of one level in the network's own input makes.
TEST(ClassifyFrame, AgreesWithTheRgbOfTheSameFrame) {
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  FOVEA_NEEDS_SHARED("data/weather/val");
  const test::TemporaryFolder folder;
  auto classifier = Classifier::open(write_imagenet_model(folder / "m.safetensors"));
  ASSERT_TRUE(classifier.ok()) << classifier.error().message;
  Preprocess preprocess = find_architecture("efficientnet_lite0")->preprocess;
  preprocess.crop_fraction = 1;
  double planes = 0;
  double noise = 0;
  int count = 0;
  for (const char* weather : {"cloudy", "rain", "shine", "sunrise"}) {
    std::vector<std::filesystem::path> photos(
        std::filesystem::directory_iterator(test::shared_path("data/weather/val") / weather), {});
    std::ranges::sort(photos);
    for (std::size_t i = 0; i < 2; ++i, ++count) {
      const auto photo = load_image(photos[i]);
      ASSERT_TRUE(photo.ok());
      const Frame frame(*photo);
      const Image rgb = resize(frame.view, photo->width, photo->height, Filter::kBilinear, {0, 0, photo->width, photo->height});
      const Image input = fit_image(rgb, preprocess);
      const Image noisy = with_noise(input);
      const auto by_planes = classifier->classify_frame(frame.view);
      const auto by_rgb = classifier->classify_pixels(rgb.pixels, rgb.width, rgb.height);
      planes += distance(*by_planes, *by_rgb);
      const auto by_input = classifier->classify_pixels(input.pixels, input.width, input.height);
      EXPECT_EQ(distance(*by_input, *by_rgb), 0);
      noise += distance(*by_input, *classifier->classify_pixels(noisy.pixels, noisy.width, noisy.height));
    }
  }
  RecordProperty("planes", std::to_string(planes / count));
  RecordProperty("noise", std::to_string(noise / count));
  EXPECT_LE(planes, noise);
}

TEST(ClassifyFrame, RefusesWhatIsNoFrame) {
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  const test::TemporaryFolder folder;
  auto classifier = Classifier::open(write_imagenet_model(folder / "m.safetensors"));
  ASSERT_TRUE(classifier.ok());
  Frame frame(Image(8, 8));
  YuvFrame none = frame.view;
  none.width = 0;
  EXPECT_EQ(classifier->classify_frame(none).error().kind, Error::Kind::kUsage);
  none = frame.view;
  none.planes[2] = nullptr;
  EXPECT_EQ(classifier->classify_frame(none).error().kind, Error::Kind::kUsage);
}

}  // namespace
}  // namespace fovea
