// SPDX-License-Identifier: Apache-2.0
#include "predict/explain.h"

#include <gtest/gtest.h>

#include "data/photos.h"
#include "fovea/classifier.h"
#include "image/decode.h"
#include "model/model_file.h"
#include "model/registry.h"
#include "model/weights.h"

namespace fovea {
namespace {

std::filesystem::path write_model(const std::filesystem::path& path) {
  const auto architecture = find_architecture("mobilenet_v2_0.35");
  Model model;
  model.architecture = architecture->name;
  model.spec = architecture->spec;
  model.spec.height = model.spec.width = 64;
  model.spec.classes = 2;
  model.classes = {"a", "b"};
  model.preprocess = architecture->preprocess;
  model.preprocess.height = model.preprocess.width = 64;
  model.parameters = ParameterSet(*build_network(model.spec));
  initialize_parameters(model.parameters, 7);
  EXPECT_TRUE(save_model(model, path).ok());
  return path;
}

TEST(Explain, WritesAPictureOfThePhotosSizeAndTheSameAnswer) {
  const test::TemporaryFolder folder;
  test::photo_file(folder / "photo.png", test::random_photo(90, 50, 1));
  auto classifier = Classifier::open(write_model(folder / "m.safetensors"));
  ASSERT_TRUE(classifier.ok()) << classifier.error().message;
  const auto plain = classifier->classify_file(folder / "photo.png");
  for (const char* name : {"map.png", "map.JPG"}) {
    const auto answer = classifier->explain_file(folder / "photo.png", folder / name);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->top().label, plain->top().label);
    EXPECT_EQ(answer->top().probability, plain->top().probability);
    const auto picture = load_image(folder / name);
    ASSERT_TRUE(picture.ok()) << picture.error().message;
    EXPECT_EQ(picture->width, 90);
    EXPECT_EQ(picture->height, 50);
    EXPECT_NE(picture->pixels, load_image(folder / "photo.png")->pixels);
  }
  const auto jpeg = *read_file(folder / "map.JPG", 1 << 20);
  EXPECT_EQ(*sniff(jpeg), ImageFormat::kJpeg);
}

TEST(Explain, ReplacesAnEarlierMapButNoOtherPicture) {
  const test::TemporaryFolder folder;
  test::photo_file(folder / "photo.png", test::random_photo(30, 20, 1));
  auto classifier = Classifier::open(write_model(folder / "m.safetensors"));
  for (const char* name : {"map.png", "map.jpg"}) {
    for (int run = 0; run < 2; ++run) {
      const auto answer = classifier->explain_file(folder / "photo.png", folder / name);
      EXPECT_TRUE(answer.ok()) << answer.error().message;
    }
  }
  for (const char* name : {"other.png", "other.jpg"}) {
    test::photo_file(folder / name, test::random_photo(30, 20, 2));
    const auto before = *read_file(folder / name, 1 << 20);
    const auto answer = classifier->explain_file(folder / "photo.png", folder / name);
    ASSERT_FALSE(answer.ok());
    EXPECT_NE(answer.error().message.find("so it stays"), std::string::npos) << answer.error().message;
    EXPECT_EQ(*read_file(folder / name, 1 << 20), before);
  }
}

TEST(Explain, NeverTouchesThePhoto) {
  const test::TemporaryFolder folder;
  test::photo_file(folder / "photo.png", test::random_photo(30, 20, 1));
  std::filesystem::create_hard_link(folder / "photo.png", folder / "link.png");
  auto classifier = Classifier::open(write_model(folder / "m.safetensors"));
  const auto before = *read_file(folder / "photo.png", 1 << 20);
  for (const char* name : {"photo.png", "link.png", "map.gif", "map"}) {
    const auto answer = classifier->explain_file(folder / "photo.png", folder / name);
    ASSERT_FALSE(answer.ok()) << name;
    EXPECT_EQ(answer.error().kind, Error::Kind::kUsage);
    EXPECT_NE(answer.error().message.find(name), std::string::npos) << answer.error().message;
  }
  EXPECT_EQ(*read_file(folder / "photo.png", 1 << 20), before);
}

}  // namespace
}  // namespace fovea
