// SPDX-License-Identifier: Apache-2.0
#include "model/model_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>

#include "format/safetensors.h"
#include "model/model_card.h"
#include "model/registry.h"
#include "model/weights.h"
#include "support/paths.h"

namespace fovea {
namespace {

Model tiny() {
  const auto architecture = find_architecture("mobilenet_v2_0.35");
  Model model;
  model.architecture = architecture->name;
  model.spec = architecture->spec;
  model.spec.height = 64;
  model.spec.width = 32;
  model.classes = {"klar", "bewölkt", "with \"quotes\""};
  model.spec.classes = 3;
  model.preprocess = architecture->preprocess;
  model.preprocess.height = 64;
  model.preprocess.width = 32;
  model.preprocess.fit = Fit::kSquash;
  model.calibration = {1.25, {{0.3, 0.2}, {0.75, 0.5}, {0.9, 0.5}}};
  model.provenance = {{"seed", "7"}, {"data", "skies"}};
  model.parameters = ParameterSet(*build_network(model.spec));
  initialize_parameters(model.parameters, 7);
  return model;
}

/// The tiny model's file with one metadata field replaced, or left out when `value` is empty.
Result<Model> load_with(const std::string& field, const std::string& value) {
  const test::TemporaryFolder folder;
  const Model model = tiny();
  auto metadata = write_model_card(model);
  metadata.erase(field);
  if (!value.empty()) metadata[field] = value;
  std::vector<StoredTensor> tensors;
  for (const auto& entry : model.parameters.entries()) {
    tensors.push_back({entry.name,
                       DType::kF32,
                       {entry.shape.extents().begin(), entry.shape.extents().end()},
                       std::as_bytes(model.parameters.values(entry))});
  }
  EXPECT_TRUE(write_safetensors(folder / "m.safetensors", tensors, metadata).ok());
  return load_model(folder / "m.safetensors");
}

TEST(ModelFile, ComesBackAsItWasWritten) {
  const test::TemporaryFolder folder;
  const Model model = tiny();
  ASSERT_TRUE(save_model(model, folder / "m.safetensors").ok());
  const auto loaded = load_model(folder / "m.safetensors");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->architecture, model.architecture);
  EXPECT_EQ(loaded->spec, model.spec);
  EXPECT_EQ(loaded->classes, model.classes);
  EXPECT_EQ(loaded->preprocess, model.preprocess);
  EXPECT_EQ(loaded->calibration, model.calibration);
  EXPECT_EQ(loaded->provenance, model.provenance);
  EXPECT_TRUE(load_model(folder / "m").ok()) << "as training takes the name";
  std::filesystem::create_directory(folder / "m");
  EXPECT_FALSE(load_model(folder / "m").ok()) << "what is there under a name is meant";
  EXPECT_TRUE(std::ranges::equal(loaded->parameters.all(), model.parameters.all()));
}

/// A disk or a copy that changes a bit of a weight or of a class name would change answers and say nothing.
TEST(ModelFile, AChangedBitIsNoticed) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder / "m.safetensors";
  ASSERT_TRUE(save_model(tiny(), path).ok());
  std::string bytes;
  {
    std::ifstream file(path, std::ios::binary);
    bytes = {std::istreambuf_iterator<char>(file), {}};
  }
  const std::size_t temperature = bytes.find("temperature");
  ASSERT_NE(temperature, std::string::npos);
  const std::size_t digit = bytes.find_first_of("0123456789", temperature);
  for (const std::size_t at : {digit, bytes.size() / 2, bytes.size() - 1}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    std::ofstream(path, std::ios::binary) << changed;
    const auto model = load_model(path);
    ASSERT_FALSE(model.ok()) << at;
    EXPECT_NE(model.error().message.find("is damaged"), std::string::npos) << model.error().message;
  }
}

TEST(ModelFile, AClassNameThatPaintsTheTerminalIsRefused) {
  const auto model = load_with("classes", R"(["a","\u001b[2Jb"])");
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("control characters"), std::string::npos) << model.error().message;
}

TEST(ModelFile, CarriesMarksOfThePhotosThatMadeItAndOldFilesHaveNone) {
  const test::TemporaryFolder folder;
  Model model = tiny();
  ASSERT_TRUE(save_model(model, folder / "old.safetensors").ok());
  EXPECT_FALSE(load_model(folder / "old.safetensors")->seen);
  model.seen = SeenPhotos{sketch_of({1, 5, 3}), sketch_of({~std::uint64_t{0}}), "best epoch"};
  ASSERT_TRUE(save_model(model, folder / "m.safetensors").ok());
  const auto loaded = load_model(folder / "m.safetensors");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->seen, model.seen);
  const auto damaged = load_with("seen", R"({"learned":{"photos":1,"marks":"xyz"},"judged":{"photos":0,"marks":""},"chose":""})");
  ASSERT_FALSE(damaged.ok());
  EXPECT_NE(damaged.error().message.find("seen.learned.marks"), std::string::npos) << damaged.error().message;
}

Rejection tiny_rejection(std::int64_t width) {
  constexpr std::size_t kRank = 2;
  Rejection rejection;
  rejection.mean.assign(static_cast<std::size_t>(width), 0.01F);
  rejection.basis.assign(kRank * static_cast<std::size_t>(width), 0.0F);
  rejection.basis.front() = rejection.basis.back() = 1;
  rejection.rest = 0.25;
  rejection.energy = {-4.5, 0.75};
  rejection.threshold = 3.5;
  rejection.known_rejected = 0.04;
  rejection.known_photos = 50;
  rejection.measured_on = "validation photos";
  return rejection;
}

TEST(ModelFile, CarriesRejectionAndOldFilesHaveNone) {
  const test::TemporaryFolder folder;
  Model model = tiny();
  ASSERT_TRUE(save_model(model, folder / "old.safetensors").ok());
  EXPECT_FALSE(load_model(folder / "old.safetensors")->rejection);
  model.rejection = tiny_rejection(1280);
  ASSERT_TRUE(save_model(model, folder / "m.safetensors").ok());
  const auto loaded = load_model(folder / "m.safetensors");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  ASSERT_TRUE(loaded->rejection);
  EXPECT_EQ(loaded->rejection->basis, model.rejection->basis);
  EXPECT_EQ(loaded->rejection->mean, model.rejection->mean);
  EXPECT_EQ(loaded->rejection->threshold, 3.5);
  EXPECT_EQ(loaded->rejection->measured_on, "validation photos");
  const std::vector<float> features(1280, 0.5F);
  const std::vector<float> logits{1, 2, 3};
  EXPECT_EQ(rejection_score(*loaded->rejection, features, logits), rejection_score(*model.rejection, features, logits));
  // As files of before the energy have it.
  model.rejection->energy.reset();
  ASSERT_TRUE(save_model(model, folder / "new.safetensors"));
  EXPECT_FALSE(load_model(folder / "new.safetensors")->rejection->energy);
}

TEST(ModelFile, DamagedRejectionIsRefusedInOneLine) {
  const test::TemporaryFolder folder;
  const auto refusal = [&](auto damage) {
    Model model = tiny();
    model.rejection = tiny_rejection(1280);
    damage(*model.rejection);
    EXPECT_TRUE(save_model(model, folder / "m.safetensors").ok());
    const auto loaded = load_model(folder / "m.safetensors");
    EXPECT_FALSE(loaded.ok());
    return loaded.ok() ? "accepted" : loaded.error().message;
  };
  EXPECT_NE(refusal([](Rejection& r) { r = tiny_rejection(640); }).find("rejection.mean"), std::string::npos);
  EXPECT_NE(refusal([](Rejection& r) { r.mean[7] = INFINITY; }).find("rejection.mean"), std::string::npos);
  EXPECT_NE(refusal([](Rejection& r) { r.basis[5] = NAN; }).find("rejection.basis"), std::string::npos);
  EXPECT_NE(refusal([](Rejection& r) { r.rest = 0; }).find("rejection.rest"), std::string::npos);
  EXPECT_NE(refusal([](Rejection& r) { r.energy->deviation = 0; }).find("rejection.energy_deviation"), std::string::npos);
  EXPECT_NE(refusal([](Rejection& r) { r.threshold = INFINITY; }).find("rejection.threshold"), std::string::npos);
  // The tensors without the field, and the field without the tensors.
  const auto without_tensors =
      load_with("rejection", R"({"rest":1,"threshold":1,"known_rejected":0,"known_photos":1,"measured_on":""})");
  ASSERT_FALSE(without_tensors.ok());
  EXPECT_NE(without_tensors.error().message.find("rejection.basis"), std::string::npos);
}

TEST(ModelFile, ThresholdsComeBackAndAreMissedByNobody) {
  const test::TemporaryFolder folder;
  Model model = tiny();
  EXPECT_FALSE(model.multi_label());
  EXPECT_FALSE(write_model_card(model).contains("thresholds"));
  model.thresholds = {0.1, 1.0 / 3, 0.999};
  ASSERT_TRUE(save_model(model, folder / "m.safetensors").ok());
  const auto loaded = load_model(folder / "m.safetensors");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->thresholds, model.thresholds);
  model.thresholds.pop_back();
  EXPECT_FALSE(save_model(model, folder / "m.safetensors").ok());
}

TEST(ModelFile, EveryRequiredFieldIsMissedByName) {
  for (const char* field : {"architecture", "network", "classes", "preprocess", "calibration"}) {
    const auto loaded = load_with(field, "");
    ASSERT_FALSE(loaded.ok()) << field;
    EXPECT_NE(loaded.error().message.find(field), std::string::npos) << loaded.error().message;
  }
}

TEST(ModelFile, NonsenseIsRefused) {
  const std::map<std::string, std::vector<std::string>> nonsense = {
      {"fovea_model", {"2", "one"}},
      {"architecture", {"resnet50", "../../etc"}},
      {"network",
       {"[]", "{", R"({"padding":"same"})",
        R"({"padding":"round","bn_eps":0.001,"bn_momentum":0.1,"dropout":0,"head":"linear","head_channels":32})",
        R"({"padding":"same","bn_eps":-1,"bn_momentum":0.1,"dropout":0,"head":"linear","head_channels":32})"}},
      {"classes", {"{}", "[]", "[1]", R"(["a","a","b"])", R"(["a",""])", R"(["a","b"])"}},
      {"preprocess", {"{}", R"({"height":1e9})"}},
      {"calibration",
       {R"({"temperature":0})", R"({"temperature":"hot"})", R"({"temperature":1,"map":3})", R"({"temperature":1,"map":[[0.5]]})",
        R"({"temperature":1,"map":[[0.5,2]]})", R"({"temperature":1,"map":[[0.5,0.4],[0.5,0.6]]})",
        R"({"temperature":1,"map":[[0.5,0.4],[0.6,0.3]]})"}},
      {"thresholds", {"{}", "[]", "[0.5,0.5]", "[0.5,0.5,1]", "[0.5,0.5,0]", R"([0.5,0.5,"x"])", "[0.5,0.5,1e999]"}}};
  for (const auto& [field, values] : nonsense) {
    for (const std::string& value : values) {
      const auto loaded = load_with(field, value);
      ASSERT_FALSE(loaded.ok()) << field << " = " << value;
      EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
    }
  }
}

TEST(ModelFile, DeepNestingIsRefusedLikeAnyOtherNonsense) {
  constexpr std::size_t kDeep = 100'000;  // a frame of 100 bytes for each would fill a stack of 8 MiB
  const std::string nested = std::string(kDeep, '[') + std::string(kDeep, ']');
  EXPECT_FALSE(load_with("classes", "[" + nested + "]").ok());
  EXPECT_FALSE(
      load_with("preprocess",
                R"({"height":64,"width":32,"fit":"squash","filter":"bilinear","crop_fraction":1,"mean":[)" + nested + ",0,0]}")
          .ok());
}

TEST(ModelFile, BareWeightsAreNoModel) {
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  const auto loaded = load_model(test::shared_path("weights/efficientnet_lite0.safetensors"));
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().message.find("holds weights but no model"), std::string::npos);
}

TEST(Backbone, TakesPaddingAndPreprocessingFromTheFile) {
  FOVEA_NEEDS_SHARED("weights/mobilenet_v2.safetensors");
  const auto backbone = open_backbone(test::shared_path("weights/mobilenet_v2.safetensors"), "mobilenet_v2");
  ASSERT_TRUE(backbone.ok()) << backbone.error().message;
  EXPECT_EQ(backbone->spec.padding, PaddingStyle::kSame);
  EXPECT_EQ(backbone->spec.bn_eps, 1e-3);
  EXPECT_EQ(backbone->spec.classes, 1000);
  EXPECT_EQ(backbone->preprocess.mean[0], 0.5F);
  ParameterSet parameters(*build_network(backbone->spec));
  const auto left = fill_parameters(backbone->file, backbone->spec, parameters);
  ASSERT_TRUE(left.ok()) << left.error().message;
  EXPECT_TRUE(left->empty());
}

TEST(Backbone, AnotherNumberOfClassesLeavesTheHead) {
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  auto backbone = open_backbone(test::shared_path("weights/efficientnet_lite0.safetensors"), "efficientnet_lite0");
  ASSERT_TRUE(backbone.ok()) << backbone.error().message;
  backbone->spec.classes = 4;
  ParameterSet parameters(*build_network(backbone->spec));
  const auto left = fill_parameters(backbone->file, backbone->spec, parameters);
  ASSERT_TRUE(left.ok()) << left.error().message;
  EXPECT_EQ(*left, (std::vector<std::string>{"_fc.weight", "_fc.bias"}));
}

TEST(Backbone, TheWrongNetworkIsNamed) {
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  const auto backbone = open_backbone(test::shared_path("weights/efficientnet_lite0.safetensors"), "mobilenet_v2");
  ASSERT_FALSE(backbone.ok());
  EXPECT_NE(backbone.error().message.find("holds efficientnet_lite0, asked for mobilenet_v2"), std::string::npos)
      << backbone.error().message;
}

}  // namespace
}  // namespace fovea
