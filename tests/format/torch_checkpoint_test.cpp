// SPDX-License-Identifier: Apache-2.0
#include "format/torch_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <numeric>

#include "format/pickle.h"
#include "format/support.h"
#include "support/paths.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string file_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Same names, dtypes, extents and bits.
void expect_equal(const fs::path& got_path, const fs::path& want_path) {
  const auto got = open_weights(got_path);
  const auto want = open_weights(want_path);
  ASSERT_TRUE(got.ok()) << got.error().message;
  ASSERT_TRUE(want.ok()) << want.error().message;
  EXPECT_EQ(got->tensors().size(), want->tensors().size());
  for (const StoredTensor& expected : want->tensors()) {
    const StoredTensor* tensor = got->find(expected.name);
    ASSERT_NE(tensor, nullptr) << expected.name;
    EXPECT_EQ(tensor->dtype, expected.dtype) << expected.name;
    EXPECT_EQ(tensor->extents, expected.extents) << expected.name;
    EXPECT_EQ(text_of(tensor->data), text_of(expected.data)) << expected.name;
  }
}

// Test names may hold letters and digits only.
std::string name_of_case(const testing::TestParamInfo<const char*>& parameter) {
  std::string name = parameter.param;
  std::ranges::replace(name, '.', '_');
  return name;
}

class GoldenState : public testing::TestWithParam<const char*> {};

TEST_P(GoldenState, GivesWhatSafetensorsGives) {
  expect_equal(test::test_data(std::string("format/data/") + GetParam()), test::test_data("format/data/state.safetensors"));
}
INSTANTIATE_TEST_SUITE_P(Torch, GoldenState,
                         testing::Values("state.zip.pt", "state.legacy.pt", "nested.protocol3.pt", "nested.protocol4.pt",
                                         "nested.protocol5.pt"),
                         name_of_case);

TEST(TorchState, KeepsTheOrderOfTheDictionary) {
  const auto file = open_weights(test::test_data("format/data/state.zip.pt"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->tensors().front().name, "float.float64");
  EXPECT_EQ(file->tensors().back().name, "parameter");
  ASSERT_NE(file->torch(), nullptr);
  EXPECT_EQ(file->torch()->model_class, "");
}

TEST(UltralyticsCheckpoint, GivesTheStateDictionaryOfItsModel) {
  expect_equal(test::test_data("format/data/yolo.pt"), test::test_data("format/data/yolo.safetensors"));
}

TEST(UltralyticsCheckpoint, TellsNamesSizeAndStatistics) {
  const auto file = open_weights(test::test_data("format/data/yolo.pt"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  const TorchFacts& facts = *file->torch();
  EXPECT_EQ(facts.model_class, "ultralytics.nn.tasks.ClassificationModel");
  EXPECT_EQ(facts.task, "classify");
  EXPECT_EQ(facts.version, "8.3.0");
  EXPECT_EQ(facts.license, "random weights, for tests");
  EXPECT_EQ(facts.scale, "n");
  EXPECT_THAT(facts.class_names, ElementsAre("clear", "semi-clear", "cloudy"));
  EXPECT_THAT(facts.image_size, ElementsAre(64));
  EXPECT_THAT(file->find("model.10.linear.weight")->extents, ElementsAre(3, 1280));
  ASSERT_EQ(facts.batch_norms.size(), 39U);  // reference: the n size has 39 convolution units
  EXPECT_EQ(facts.batch_norms.front().name, "model.0.bn");
  EXPECT_EQ(facts.batch_norms.back().name, "model.10.conv.bn");
  for (const auto& norm : facts.batch_norms) {
    EXPECT_EQ(norm.eps, 1e-5) << norm.name;
    EXPECT_EQ(norm.momentum, 0.1) << norm.name;
    EXPECT_NE(file->find(norm.name + ".running_var"), nullptr) << norm.name;
  }
}

TEST(UltralyticsCheckpoint, TheTruncatedOneIsRefusedInOneLine) {
  FOVEA_NEEDS_SHARED("data/bad/yolo11n-cls-truncated.pt");
  const auto file = open_weights(test::shared_path("data/bad/yolo11n-cls-truncated.pt"));
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().kind, Error::Kind::kFormat);
  EXPECT_THAT(file.error().message, testing::AllOf(HasSubstr("yolo11n-cls-truncated.pt"), HasSubstr("truncated")));
}

// Its pickle stands in front and is whole: the official file names nothing that is not on the list.
TEST(UltralyticsCheckpoint, ThePickleOfTheOfficialFileIsRead) {
  FOVEA_NEEDS_SHARED("data/bad/yolo11n-cls-truncated.pt");
  const std::string file = file_bytes(test::shared_path("data/bad/yolo11n-cls-truncated.pt"));
  const auto pickle = Pickle::parse(test::bytes_of(file).subspan(file.find("\x80\x02}q")));
  ASSERT_TRUE(pickle.ok()) << pickle.error().message;
  EXPECT_EQ(pickle->size(), 99'470U);
}

// The file itself, or what the set-up put into the cache folder.
fs::path original_lite0() {
  if (const char* path = std::getenv("FOVEA_LITE0_PTH")) return path;
  if (const char* cache = std::getenv("XDG_CACHE_HOME")) return fs::path(cache) / "fovea/efficientnet_lite0.pth";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "" : home) / ".cache/fovea/efficientnet_lite0.pth";
}

TEST(TorchLegacy, TheOriginalBackboneGivesTheSharedOneToHalfPrecision) {
  if (!fs::exists(original_lite0())) GTEST_SKIP() << "needs FOVEA_LITE0_PTH or " << original_lite0().string();
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  const auto original = open_weights(original_lite0());
  const auto halves = open_weights(test::shared_path("weights/efficientnet_lite0.safetensors"));
  ASSERT_TRUE(original.ok()) << original.error().message;
  ASSERT_TRUE(halves.ok()) << halves.error().message;
  for (const StoredTensor& tensor : halves->tensors()) {
    const auto want = original->to_f32(tensor.name);
    const auto got = halves->to_f32(tensor.name);
    ASSERT_TRUE(want.ok()) << want.error().message;
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(original->find(tensor.name)->extents, tensor.extents) << tensor.name;
    ASSERT_EQ(want->size(), got->size());
    std::size_t different = 0;
    for (std::size_t i = 0; i < want->size(); ++i) {
      const float stored = tensor.dtype == DType::kF16 ? f16_to_f32(f32_to_f16((*want)[i])) : (*want)[i];
      different += stored == (*got)[i] ? 0 : 1;
    }
    EXPECT_EQ(different, 0U) << tensor.name;
  }
}

class Truncated : public testing::TestWithParam<const char*> {};

// R4 of the users' needs: cut at every 64th of the length, and at every one of the last 256 bytes.
TEST_P(Truncated, IsRefusedWhereverItIsCut) {
  const std::string file = file_bytes(test::test_data(std::string("format/data/") + GetParam()));
  ASSERT_TRUE(parse_weights(test::bytes_of(file), "x").ok());
  for (std::size_t part = 0; part < 64; ++part)
    test::expect_refused(std::string_view(file).substr(0, file.size() * part / 64), {});
  for (std::size_t cut = 1; cut <= 256; ++cut) test::expect_refused(std::string_view(file).substr(0, file.size() - cut), {});
}
INSTANTIATE_TEST_SUITE_P(Torch, Truncated, testing::Values("state.zip.pt", "state.legacy.pt", "state.safetensors", "yolo.pt"),
                         name_of_case);

}  // namespace
}  // namespace fovea
