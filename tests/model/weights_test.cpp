// SPDX-License-Identifier: Apache-2.0
#include "model/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "format/safetensors.h"
#include "model/model_file.h"
#include "model/registry.h"
#include "model/ultralytics.h"
#include "support/paths.h"

namespace fovea {
namespace {

using testing::HasSubstr;

/// Weights of a network as a file of another program would hold them.
struct OtherFile {
  explicit OtherFile(std::string_view name, int classes, const std::string& prefix = "") : architecture(name) {
    NetworkSpec spec = find_architecture(name)->spec;
    spec.classes = classes;
    parameters = ParameterSet(*build_network(spec));
    // Enough to see what went where; the networks with tens of millions of weights would take seconds.
    std::vector<std::string> random;
    for (const ParameterSet::Entry& entry : parameters.entries()) {
      if (entry.size() < 10'000) random.push_back(entry.name);
    }
    initialize_parameters(parameters, 1, random);
    for (const ParameterSet::Entry& entry : parameters.entries()) {
      const auto extents = entry.shape.extents();
      contents.tensors.push_back({prefix + entry.name,
                                  DType::kF32,
                                  {extents.begin(), extents.end()},
                                  std::as_bytes(std::span<const float>(parameters.values(entry)))});
    }
  }
  [[nodiscard]] WeightFile open() const { return WeightFile(MappedFile{}, "other.pt", contents); }
  /// Through the disk, as open_backbone needs it.
  [[nodiscard]] Result<Backbone> backbone() const {
    const test::TemporaryFolder folder;
    EXPECT_TRUE(write_safetensors(folder / "other.safetensors", contents.tensors, contents.metadata).ok());
    return open_backbone(folder / "other.safetensors", architecture);
  }
  StoredTensor& tensor(std::string_view name) { return *std::ranges::find(contents.tensors, name, &StoredTensor::name); }

  std::string architecture;
  ParameterSet parameters;
  WeightContents contents;
};

TEST(Weights, EveryNetworkIsFilledUnderEveryKnownPrefix) {
  const std::pair<std::string, std::string> files[] = {{"mobilenet_v2_0.35", "state_dict."},
                                                       {"mobilenet_v2_0.35", "module."},
                                                       {"efficientnet_lite0", "model."},
                                                       {"yolo11n-cls", "model."}};
  for (const auto& [name, prefix] : files) {
    const OtherFile file(name, 4, prefix);
    const auto found = file.backbone();
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->spec.classes, 4) << name;
    ParameterSet parameters(*build_network(found->spec));
    const auto left = fill_parameters(found->file, found->spec, parameters);
    ASSERT_TRUE(left.ok()) << left.error().message;
    EXPECT_TRUE(left->empty());
    EXPECT_TRUE(std::ranges::equal(parameters.all(), file.parameters.all())) << name;
  }
}

std::string refusal(const OtherFile& file) {
  NetworkSpec spec = find_architecture(file.architecture)->spec;
  ParameterSet parameters(*build_network(spec));
  const auto filled = fill_parameters(file.open(), spec, parameters);
  return filled.ok() ? "accepted" : filled.error().message;
}

TEST(Weights, TensorsThatDoNotFitAreNamed) {
  OtherFile turned("mobilenet_v2_0.35", 1000);
  std::swap(turned.tensor("features.6.conv.2.weight").extents[0], turned.tensor("features.6.conv.2.weight").extents[1]);
  EXPECT_THAT(refusal(turned), HasSubstr("tensor 'features.6.conv.2.weight' is 96x16x1x1, expected 16x96x1x1"));

  OtherFile missing("mobilenet_v2_0.35", 1000);
  missing.tensor("features.9.conv.3.running_mean").name = "something.else";
  EXPECT_THAT(refusal(missing), HasSubstr("no tensor 'features.9.conv.3.running_mean'"));

  OtherFile negative("mobilenet_v2_0.35", 1000);
  negative.parameters.values(*negative.parameters.find("features.0.1.running_var"))[2] = -0.5F;
  EXPECT_THAT(refusal(negative), HasSubstr("tensor 'features.0.1.running_var' holds a negative variance"));

  OtherFile infinite("mobilenet_v2_0.35", 1000);
  infinite.parameters.values(*infinite.parameters.find("features.0.1.bias"))[2] = HUGE_VALF;
  EXPECT_THAT(refusal(infinite), HasSubstr("features.0.1.bias"));
}

TEST(Weights, MetadataDecidesWhatTensorsDoNotTell) {
  OtherFile file("mobilenet_v2", 4);
  file.contents.metadata = {
      {"padding", "tf_same"}, {"bn_eps", "0.001"}, {"input", "192"}, {"mean", "0.1,0.2,0.3"}, {"resize", "bicubic"}};
  const auto found = file.backbone();
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->spec.padding, PaddingStyle::kSame);
  EXPECT_EQ(found->spec.bn_eps, 0.001);
  EXPECT_EQ(found->spec.height, 192);
  EXPECT_EQ(found->preprocess.width, 192);
  EXPECT_EQ(found->preprocess.mean, (std::array<float, 3>{0.1F, 0.2F, 0.3F}));
  EXPECT_EQ(found->preprocess.std, (std::array<float, 3>{0.5F, 0.5F, 0.5F})) << "TensorFlow's, as the padding";
  EXPECT_EQ(found->preprocess.filter, Filter::kBicubic);

  const std::map<std::string, std::string> nonsense = {{"mean", "0.1,0.2"}, {"bn_eps", "tiny"}, {"bn_momentum", "-1"},
                                                       {"std", "0,1,1"},    {"input", "1e9"},   {"padding", "odd"},
                                                       {"resize", "x"}};
  for (const auto& [field, value] : nonsense) {
    file.contents.metadata = {{field, value}};
    const auto refused = file.backbone();
    ASSERT_FALSE(refused.ok()) << field;
    EXPECT_THAT(refused.error().message, HasSubstr("'" + field + "'"));
  }
}

TEST(Weights, AModelOfOursGivesItsOwnCard) {
  const test::TemporaryFolder folder;
  Model model;
  const Architecture architecture = *find_architecture("mobilenet_v2_0.35");
  model.architecture = architecture.name;
  model.spec = architecture.spec;
  model.spec.padding = PaddingStyle::kSame;  // not what the family's published weights have
  model.spec.bn_eps = 2e-3;
  model.spec.classes = 2;
  model.spec.height = 96;
  model.classes = {"a", "b"};
  model.preprocess = architecture.preprocess;
  model.preprocess.height = 96;
  model.preprocess.fit = Fit::kSquash;
  model.parameters = ParameterSet(*build_network(model.spec));
  initialize_parameters(model.parameters, 1);
  ASSERT_TRUE(save_model(model, folder / "m.safetensors").ok());
  const auto found = open_backbone(folder / "m.safetensors", "mobilenet_v2_0.35");
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->spec, model.spec);
  EXPECT_EQ(found->preprocess, model.preprocess);

  model.classes.pop_back();
  const auto refused = save_model(model, folder / "m.safetensors");
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("1 class names for a network of 2 classes"));
}

OtherFile checkpoint(std::string_view architecture) {
  OtherFile file(architecture, 3);
  TorchFacts facts;
  facts.model_class = "ultralytics.nn.tasks.ClassificationModel";
  facts.task = "classify";
  facts.class_names = {"apple", "banana", "cherry"};
  facts.batch_norms = {{"model.0.bn", 2e-5, 0.03}, {"model.1.bn", 2e-5, 0.03}};
  facts.image_size = {160};
  file.contents.torch = facts;
  return file;
}

TEST(Ultralytics, EverySizeIsToldFromItsTensors) {
  for (const std::string name : {"yolo11n-cls", "yolo11s-cls", "yolo11m-cls", "yolo11l-cls", "yolo11x-cls"}) {
    const OtherFile file = checkpoint(name);
    ASSERT_TRUE(is_ultralytics(file.open()));
    const auto found = read_ultralytics(file.open());
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->architecture, name);
    EXPECT_EQ(found->classes, (std::vector<std::string>{"apple", "banana", "cherry"}));
    EXPECT_EQ(found->spec.bn_eps, 2e-5);
    EXPECT_EQ(found->spec.bn_momentum, 0.03);
    ParameterSet parameters(*build_network(found->spec));
    const auto left = fill_parameters(file.open(), found->spec, parameters);
    ASSERT_TRUE(left.ok()) << left.error().message;
    EXPECT_TRUE(std::ranges::equal(parameters.all(), file.parameters.all()));
  }
}

TEST(Ultralytics, PreprocessesAsItsOwnPredictor) {
  OtherFile file = checkpoint("yolo11n-cls");
  const auto square = read_ultralytics(file.open());
  ASSERT_TRUE(square.ok()) << square.error().message;
  const Preprocess expected{.height = 160,
                            .width = 160,
                            .fit = Fit::kCrop,
                            .filter = Filter::kBilinear,
                            .crop_fraction = 1.0F,
                            .mean = {0, 0, 0},
                            .std = {1, 1, 1}};
  EXPECT_EQ(square->preprocess, expected);
  file.contents.torch->image_size = {96, 160};
  const auto wide = read_ultralytics(file.open());
  ASSERT_TRUE(wide.ok()) << wide.error().message;
  EXPECT_EQ(wide->preprocess.fit, Fit::kSquash);
  EXPECT_EQ(wide->spec.height, 96);
  EXPECT_EQ(wide->spec.width, 160);
}

TEST(Ultralytics, ACheckpointThatContradictsItselfIsRefused) {
  const auto message = [](auto change) {
    OtherFile file = checkpoint("yolo11n-cls");
    change(file);
    const auto found = read_ultralytics(file.open());
    return found.ok() ? std::string("accepted") : found.error().message;
  };
  EXPECT_THAT(message([](OtherFile& f) { f.contents.torch->class_names.pop_back(); }), HasSubstr("2 class names, expected 3"));
  EXPECT_THAT(message([](OtherFile& f) { f.contents.torch->task = "detect"; }), HasSubstr("'detect'"));
  EXPECT_THAT(message([](OtherFile& f) { f.contents.torch->batch_norms[1].eps = 1e-3; }), HasSubstr("different eps"));
  EXPECT_THAT(message([](OtherFile& f) { f.contents.torch->image_size = {std::int64_t{1} << 40}; }), HasSubstr("height is"));
  EXPECT_THAT(message([](OtherFile& f) { f.tensor("model.0.conv.weight").extents[0] = 24; }),
              HasSubstr("no YOLO11 classification network"));
  EXPECT_THAT(message([](OtherFile& f) { f.tensor("model.10.linear.weight").extents = {0, 1280}; }), HasSubstr("0 classes"));
}

}  // namespace
}  // namespace fovea
