// Torch files that lie about their tensors.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "format/builders.h"

namespace fovea {
namespace {

using test::bytes_of;
using test::expect_refused;
using test::raw;
using test::torch_legacy;
using test::torch_zip;
using testing::ElementsAre;
namespace py = test::py;

const std::string kSix = raw(1.0F) + raw(2.0F) + raw(3.0F) + raw(4.0F) + raw(5.0F) + raw(6.0F);

// A state dictionary of the one tensor "w", over a storage of six floats.
std::string state_of(const std::string& tensor) { return torch_zip(py::dict({py::text("w"), tensor}), {{"0", kSix}}); }
std::string view(std::int64_t offset, std::initializer_list<std::int64_t> size, std::initializer_list<std::int64_t> stride) {
  return state_of(py::tensor(py::storage("FloatStorage", "0", 6), offset, size, stride));
}

std::vector<float> floats_of(const std::string& file, const char* name) {
  const auto weights = parse_weights(bytes_of(file), "x");
  EXPECT_TRUE(weights.ok()) << weights.error().message;
  if (!weights.ok()) return {};
  const auto values = weights->to_f32(name);
  EXPECT_TRUE(values.ok()) << values.error().message;
  return values.ok() ? *values : std::vector<float>{};
}

TEST(TorchTensor, FollowsOffsetsAndStrides) {
  EXPECT_THAT(floats_of(view(0, {6}, {1}), "w"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(floats_of(view(2, {2, 2}, {2, 1}), "w"), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(floats_of(view(0, {3, 2}, {1, 3}), "w"), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(floats_of(view(1, {2, 3}, {0, 1}), "w"), ElementsAre(2, 3, 4, 2, 3, 4));
  EXPECT_THAT(floats_of(view(5, {}, {}), "w"), ElementsAre(6));
  EXPECT_THAT(floats_of(view(6, {0, 9}, {1, 1}), "w"), ElementsAre());
  EXPECT_THAT(floats_of(view(0, {1, 6}, {std::int64_t{1} << 62, 1}), "w"), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(TorchTensor, ParametersAreTensors) {
  const std::string tensor = py::tensor(py::storage("FloatStorage", "0", 6), 0, {2}, {1});
  EXPECT_THAT(floats_of(state_of(py::call(py::global("torch._utils", "_rebuild_parameter"), {tensor, "\x88", "N"})), "w"),
              ElementsAre(1, 2));
}

TEST(TorchRefuses, ViewsThatLeaveTheirStorage) {
  expect_refused(view(0, {7}, {1}), {"'w'", "beyond its storage"});
  expect_refused(view(1, {6}, {1}), {"'w'", "beyond its storage"});
  expect_refused(view(6, {}, {}), {"'w'", "beyond its storage"});
  expect_refused(view(0, {2}, {6}), {"'w'", "beyond its storage"});
  expect_refused(view(0, {3, 3}, {std::int64_t{1} << 62, std::int64_t{1} << 62}), {"'w'", "beyond its storage"});
  expect_refused(view(std::numeric_limits<std::int64_t>::max(), {2}, {1}), {"'w'", "beyond its storage"});
  expect_refused(view(-1, {2}, {1}), {"'w'", "offset"});
  expect_refused(view(3, {2}, {-1}), {"'w'", "stride", "negative"});
  expect_refused(view(0, {-2}, {1}), {"'w'", "size", "negative"});
  expect_refused(view(0, {2}, {1, 1}), {"'w'", "1 extents, but 2 strides"});
  expect_refused(view(0, {std::int64_t{1} << 32, std::int64_t{1} << 32}, {0, 0}), {"'w'", "size", "overflows"});
}

TEST(TorchRefuses, AStrideOfZeroThatWouldFillTheMemory) {
  expect_refused(view(0, {std::int64_t{1} << 40}, {0}), {"'w'", "1099511627776"});
  expect_refused(view(0, {1 << 20, 1 << 20}, {0, 0}), {"'w'"});
}

TEST(TorchRefuses, StoragesOfAnotherSizeThanDeclared) {
  expect_refused(state_of(py::floats("0", 5)), {"'w'", "storage '0'", "24 bytes, expected 20"});
  expect_refused(state_of(py::floats("0", 7)), {"'w'", "storage '0'", "24 bytes, expected 28"});
  expect_refused(state_of(py::tensor(py::storage("DoubleStorage", "0", 6), 0, {6}, {1})), {"'w'", "expected 48"});
  expect_refused(state_of(py::tensor(py::storage("FloatStorage", "0", std::int64_t{1} << 62), 0, {6}, {1})), {"'w'", "overflow"});
  expect_refused(state_of(py::tensor(py::storage("FloatStorage", "0", -1), 0, {6}, {1})), {"'w'", "storage"});
}

TEST(TorchRefuses, StoragesThatAreNotThereOrOfUnknownKind) {
  expect_refused(state_of(py::floats("1", 6)), {"'w'", "x/data/1"});
  expect_refused(state_of(py::floats("../0", 6)), {"'w'", "../0"});
  expect_refused(state_of(py::tensor(py::storage("ComplexFloatStorage", "0", 3), 0, {3}, {1})),
                 {"'w'", "torch.ComplexFloatStorage"});
  expect_refused(state_of(py::tensor(py::text("storage"), 0, {3}, {1})), {"'w'", "no storage"});
  expect_refused(state_of(py::tensor(py::tuple({py::text("storage")}) + "Q", 0, {3}, {1})), {"'w'", "1 fields"});
  expect_refused(state_of(py::call(py::global("torch._utils", "_rebuild_qtensor"), {})), {"'w'", "_rebuild_qtensor"});
  expect_refused(state_of(py::call(py::global("torch._utils", "_rebuild_tensor_v2"), {})), {"'w'", "no storage"});
  expect_refused(state_of(py::call(py::global("torch._utils", "_rebuild_parameter"), {"N"})),
                 {"'w'", "parameter without a tensor"});
}

TEST(TorchRefuses, NamesThatRepeat) {
  const std::string body = py::dict({py::text("w"), py::floats("0", 6), py::text("w"), py::floats("0", 6)});
  expect_refused(torch_zip(body, {{"0", kSix}}), {"'w'", "twice"});
  expect_refused(torch_zip(py::dict({py::integer(1), py::floats("0", 6)}), {{"0", kSix}}), {"named by an integer"});
}

TEST(TorchRefuses, APayloadInAStateDictionary) {
  const std::string payload = py::call(py::global("os", "system"), {py::text("id")});
  const std::string body = py::dict({py::text("w"), py::floats("0", 6), py::text("x"), payload});
  expect_refused(torch_zip(body, {{"0", kSix}}), {"os.system"});
  expect_refused(torch_legacy(body, {{"0", kSix}}, 6), {"os.system"});
}

TEST(TorchRefuses, FilesWithoutWeights) {
  for (const std::string& body :
       {std::string("N"), std::string("]"), std::string("}"), py::dict({py::text("model"), "N"}),
        py::dict({py::text("epoch"), py::integer(3)}), py::object("torch.nn.modules.conv", "Conv2d", {})}) {
    expect_refused(torch_zip(body), {"expected a state dictionary"});
  }
  expect_refused(test::zip({{"a/b", "1"}}), {"no data.pkl"});
  expect_refused(test::zip({{"a/data.pkl", "1"}, {"b/data.pkl", "1"}}), {"more than one folder"});
  expect_refused(test::zip({{"a/data.pkl", "1"}, {"a/constants.pkl", "1"}}), {"TorchScript"});
  expect_refused(test::zip({{"a/data.pkl", py::whole("N")}, {"a/byteorder", "big"}}), {"byteorder", "big"});
  expect_refused(test::zip({{"a/data.pkl", py::whole("N") + "more"}}), {"4 bytes behind"});
}

TEST(TorchRefuses, ACompressedArchive) {
  const auto compress = [](test::ZipFields& fields) { fields.method = 8; };
  expect_refused(test::zip({{"a/data.pkl", py::whole("N")}}, compress), {"a/data.pkl", "compressed"});
  expect_refused(test::zip({{"a/data.pkl", "1"}, {"a/constants.pkl", "1"}}, compress), {"TorchScript"});
}

TEST(TorchLegacy, ReadsStoragesBehindThePickles) {
  const std::string body = py::dict({py::text("w"), py::floats("77", 6)});
  EXPECT_THAT(floats_of(torch_legacy(body, {{"77", kSix}}, 6), "w"), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(TorchRefuses, LegacyStoragesThatLie) {
  const std::string body = py::dict({py::text("w"), py::floats("77", 6)});
  expect_refused(torch_legacy(body, {{"77", kSix}}, 5), {"storage '77'"});
  expect_refused(torch_legacy(body, {{"77", kSix}}, std::numeric_limits<std::int64_t>::max()), {"storage '77'"});
  expect_refused(torch_legacy(body, {{"77", kSix}}, -6), {"storage '77'"});
  expect_refused(torch_legacy(body, {{"78", kSix}}, 6), {"a key that no tensor has"});
  expect_refused(torch_legacy(body, {}, 6), {"'w'", "not in the file"});
  expect_refused(torch_legacy(body, {{"77", kSix}, {"77", kSix}}, 6), {"twice"});
  expect_refused(torch_legacy(body, {{"77", kSix}}, 6) + "x", {"1 bytes behind the last storage"});
  const std::string two = py::dict({py::text("w"), py::floats("77", 6), py::text("v"), py::floats("77", 5)});
  expect_refused(torch_legacy(two, {{"77", kSix}}, 6), {"declared in two ways"});
}

// A module with one parameter and these children.
std::string module(const std::string& tensor, const py::Items& children) {
  return py::object("torch.nn.modules.container", "Sequential",
                    {py::text("_parameters"), py::dict({py::text("w"), tensor}), py::text("_modules"), py::dict(children)});
}

TEST(TorchModule, TheAverageIsPreferredToTheModel) {
  const std::string average = module(py::floats("0", 6), {});
  const std::string model = module(py::tensor(py::storage("FloatStorage", "0", 6), 0, {1}, {1}), {});
  const auto with = [&](const std::string& ema) {
    return torch_zip(py::dict({py::text("model"), model, py::text("ema"), ema}), {{"0", kSix}});
  };
  EXPECT_EQ(floats_of(with(average), "w").size(), 6U);
  EXPECT_EQ(floats_of(with("N"), "w").size(), 1U);
}

TEST(TorchModule, ChildrenAreNamedByTheirPathAndUnsavedBuffersLeftOut) {
  const std::string child = py::object(
      "torch.nn.modules.batchnorm", "BatchNorm2d",
      {py::text("_modules"), py::dict({}), py::text("_buffers"),
       py::dict({py::text("kept"), py::floats("0", 6), py::text("dropped"), py::floats("0", 6), py::text("none"), "N"}),
       py::text("_non_persistent_buffers_set"), py::call(py::global("__builtin__", "set"), {py::list({py::text("dropped")})}),
       py::text("eps"), py::integer(1), py::text("momentum"), "N"});
  const std::string file = torch_zip(module(py::floats("0", 6), {py::text("a"), child, py::text("gone"), "N"}), {{"0", kSix}});
  const auto weights = parse_weights(bytes_of(file), "x");
  ASSERT_TRUE(weights.ok()) << weights.error().message;
  std::vector<std::string> names;
  for (const StoredTensor& tensor : weights->tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names, ElementsAre("w", "a.kept"));
  ASSERT_EQ(weights->torch()->batch_norms.size(), 1U);
  EXPECT_EQ(weights->torch()->batch_norms[0].name, "a");
  EXPECT_EQ(weights->torch()->batch_norms[0].eps, 1.0);
}

TEST(TorchModule, MembersOfTheWrongKindAreRefused) {
  const auto file = [](const std::string& body) { return torch_zip(body, {{"0", kSix}}); };
  expect_refused(file(module(py::text("no tensor"), {})), {"'w'", "text, expected a tensor"});
  expect_refused(file(module(py::floats("0", 6), {py::text("a"), py::integer(1)})), {"module 'a'", "an integer"});
  expect_refused(file(module(py::floats("0", 6), {py::integer(1), "N"})), {"named by an integer"});
  expect_refused(file(module(py::floats("0", 6), {py::text(std::string(600, 'a')), "N"})), {"512 bytes"});
}

// Each level holds the one below twice: 2^60 paths in a few kilobytes. And a module inside itself.
TEST(TorchModule, SharedChildrenDoNotMultiplyWithoutEnd) {
  std::string body = module(py::floats("0", 6), {}) + "q\x01";
  for (int level = 0; level < 60; ++level) {
    body += "0" + module(py::floats("0", 6), {py::text("a"), "h\x01", py::text("b"), "h\x01"}) + "q\x01";
  }
  expect_refused(torch_zip(body, {{"0", kSix}}), {"more than"});
  const std::string circle = py::global("torch.nn.modules.container", "Sequential") + ")\x81q\x01" +
                             py::dict({py::text("_modules"), py::dict({py::text("a"), "h\x01"})}) + "b";
  expect_refused(torch_zip(circle), {"nested more than"});
}

TEST(TorchFacts, ClassNamesMustCoverEveryIndex) {
  const auto with = [](const std::string& names, const std::string& size) {
    const std::string model =
        py::object("ultralytics.nn.tasks", "ClassificationModel", {py::text("_modules"), py::dict({}), py::text("names"), names});
    return torch_zip(py::dict({py::text("model"), model, py::text("train_args"), py::dict({py::text("imgsz"), size})}));
  };
  const auto good = parse_weights(bytes_of(with(py::dict({py::integer(1), py::text("b"), py::integer(0), py::text("a")}),
                                                py::list({py::integer(32), py::integer(64)}))),
                                  "x");
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_THAT(good->torch()->class_names, ElementsAre("a", "b"));
  EXPECT_THAT(good->torch()->image_size, ElementsAre(32, 64));
  const std::string size = py::integer(64);
  expect_refused(with(py::dict({py::integer(0), py::text("a"), py::integer(2), py::text("c")}), size),
                 {"names", "index below 2"});
  expect_refused(with(py::dict({py::integer(0), py::text("a"), py::integer(0), py::text("c")}), size), {"names", "class 1"});
  expect_refused(with(py::dict({py::integer(0), py::integer(7)}), size), {"names", "class 0"});
  expect_refused(with(py::integer(3), size), {"names", "an integer"});
  expect_refused(with(py::list({py::text("a")}), py::integer(0)), {"imgsz"});
  expect_refused(with(py::list({py::text("a")}), py::integer(1 << 20)), {"imgsz"});
  expect_refused(with(py::list({py::text("a")}), py::integers({1, 2, 3})), {"imgsz"});
}

}  // namespace
}  // namespace fovea
