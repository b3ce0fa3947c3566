// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <limits>

#include "format/support.h"
#include "support/paths.h"

namespace fovea {
namespace {

using test::bytes_of;
using test::expect_refused;
using test::raw;

// A file with this header, as it stands, and this buffer.
std::string file_with(std::string_view header, std::string_view buffer = "") {
  return raw(std::uint64_t{header.size()}) + std::string(header) + std::string(buffer);
}

constexpr const char* kTwo =
    R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[1,3],"data_offsets":[8,11]}})";

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Safetensors, RoundTripsEveryDtypeScalarsEmptyAndUnicodeNames) {
  const std::string payload = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdef";
  std::vector<StoredTensor> tensors;
  for (const DType type : {DType::kBool, DType::kF16, DType::kF64, DType::kF32, DType::kBF16, DType::kI64, DType::kI32,
                           DType::kI16, DType::kI8, DType::kU8}) {
    const Bytes data = bytes_of(payload).first(3 * size_of(type));
    tensors.push_back({"t." + std::string(name_of(type)), type, {1, 3}, data});
  }
  tensors.push_back({"scalar \"\\ \n ü", DType::kF32, {}, bytes_of(payload).subspan(1, 4)});
  tensors.push_back({"", DType::kF32, {4, 0, 2}, {}});
  const std::map<std::string, std::string> metadata{{"format", "pt"}, {"класс", "a\"b\n"}};

  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_safetensors(folder / "x.pt", tensors, metadata).ok());
  const auto file = open_weights(folder / "x.pt");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->metadata(), metadata);
  EXPECT_EQ(file->torch(), nullptr);
  ASSERT_EQ(file->tensors().size(), tensors.size());
  for (const StoredTensor& want : tensors) {
    const StoredTensor* got = file->find(want.name);
    ASSERT_NE(got, nullptr) << want.name;
    EXPECT_EQ(got->dtype, want.dtype);
    EXPECT_EQ(got->extents, want.extents);
    EXPECT_EQ(text_of(got->data), text_of(want.data));
    if (got->elements() > 0) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(got->data.data()) % size_of(want.dtype), 0U) << want.name;
    }
  }
}

TEST(Safetensors, TheBufferOfAWrittenFileBeginsAtACacheLine) {
  const test::TemporaryFolder folder;
  const std::vector<StoredTensor> tensors{{"weights", DType::kF32, {1}, bytes_of("abcd")}};
  ASSERT_TRUE(write_safetensors(folder / "x", tensors, {}).ok());
  const std::string file = file_bytes(folder / "x");
  EXPECT_EQ(file.size() % 64, 4U);
  EXPECT_THAT(file, testing::EndsWith(" abcd"));
}

TEST(Safetensors, NoTensorsAtAllIsAFile) {
  const auto file = parse_weights(bytes_of(file_with("{}")), "x");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_TRUE(file->tensors().empty());
}

TEST(Safetensors, ConvertsUnalignedHalvesToFloat) {
  const std::string file =
      file_with(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"h":{"dtype":"F16","shape":[2],"data_offsets":[1,5]}})",
                raw(std::uint8_t{7}) + raw(std::uint16_t{0x3C00}) + raw(std::uint16_t{0xC100}));
  const auto weights = parse_weights(bytes_of(file), "x");
  ASSERT_TRUE(weights.ok()) << weights.error().message;
  EXPECT_THAT(*weights->to_f32("h"), testing::ElementsAre(1.0F, -2.5F));
  EXPECT_THAT(*weights->to_f32("b"), testing::ElementsAre(7.0F));
  EXPECT_EQ(weights->to_f32("none").error().kind, Error::Kind::kNotFound);
}

TEST(Safetensors, TensorsComeInTheOrderOfTheBuffer) {
  const std::string file = file_with(
      R"({"z":{"data_offsets":[1,2],"shape":[1],"dtype":"I8"},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", "xy");
  const auto weights = parse_weights(bytes_of(file), "x");
  ASSERT_TRUE(weights.ok()) << weights.error().message;
  EXPECT_EQ(weights->tensors()[0].name, "a");
  EXPECT_EQ(weights->tensors()[1].name, "z");
}

TEST(Safetensors, NotANumberIsNotAWeight) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const std::string file = file_with(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", raw(1.0F) + raw(bad));
    const auto values = parse_weights(bytes_of(file), "x")->to_f32("w");
    ASSERT_FALSE(values.ok());
    EXPECT_THAT(values.error().message, testing::AllOf(testing::HasSubstr("'w'"), testing::HasSubstr("element 1")));
  }
}

TEST(SafetensorsRefuses, AHeaderThatIsTooSmall) {
  expect_refused("", {"0 bytes"});
  EXPECT_FALSE(read_safetensors(bytes_of("1234567")).ok());
  EXPECT_FALSE(read_safetensors(bytes_of(raw(std::uint64_t{0}))).ok());
}

TEST(SafetensorsRefuses, AHeaderThatIsTooLarge) {
  expect_refused(raw(std::uint64_t{kSafetensorsHeaderLimit + 1}) + "{}", {"header", "100000001"});
  expect_refused(raw(~std::uint64_t{0}) + "{}", {"header", "18446744073709551615"});
}

TEST(SafetensorsRefuses, ALengthBeyondTheFile) {
  expect_refused(raw(std::uint64_t{3}) + "{}", {"header", "length 3", "truncated"});
}

TEST(SafetensorsRefuses, WhatIsNotUtf8) {
  expect_refused(file_with("{\"\xff\":1}"), {"not JSON in UTF-8"});
  expect_refused(file_with("{\"\xed\xa0\x80\":1}"), {"not JSON in UTF-8"});
}

TEST(SafetensorsRefuses, WhatIsNotJson) {
  for (const char* header : {"{", "{]", "{\"a\"}", "{}{}", "{} x", "{\"a\":}", "{'a':1}", "{\"a\":NaN}", "{/**/}"}) {
    expect_refused(file_with(header), {"not JSON"});
  }
}

TEST(SafetensorsRefuses, ABombOfNestedBrackets) {
  expect_refused(file_with("{\"a\":" + std::string(1'000'000, '[')), {"list"});
  std::string objects = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) objects += "{\"dtype\":";
  expect_refused(file_with(objects), {"an object"});
  expect_refused(file_with(R"({"a":{"shape":)" + std::string(1000, '[')), {"shape", "list"});
}

TEST(SafetensorsRefuses, KeysThatAppearTwice) {
  expect_refused(
      file_with(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
      {"\"a\" appears twice"});
  expect_refused(file_with(R"({"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})"), {"'a'", "dtype", "twice"});
  expect_refused(file_with(R"({"__metadata__":{"k":"1","k":"2"}})"), {"\"k\" appears twice"});
  expect_refused(file_with(R"({"__metadata__":{},"__metadata__":{}})"), {"appears twice"});
}

TEST(SafetensorsRefuses, FieldsOfTheWrongKind) {
  const auto with = [](const char* dtype, const char* shape, const char* offsets) {
    return file_with(fmt::format(R"({{"a":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets), "12345678");
  };
  ASSERT_TRUE(parse_weights(bytes_of(with(R"("F32")", "[2]", "[0,8]")), "x").ok());
  expect_refused(with(R"("F33")", "[2]", "[0,8]"), {"'a'", "dtype", "F33"});
  expect_refused(with("7", "[2]", "[0,8]"), {"'a'", "dtype", "7"});
  expect_refused(with("null", "[2]", "[0,8]"), {"'a'", "dtype", "null"});
  expect_refused(with(R"(["F32"])", "[2]", "[0,8]"), {"'a'", "dtype", "list"});
  expect_refused(with(R"("F32")", "2", "[0,8]"), {"'a'", "shape", "2"});
  expect_refused(with(R"("F32")", "[-2]", "[0,8]"), {"'a'", "shape", "-2"});
  expect_refused(with(R"("F32")", "[2.0]", "[0,8]"), {"'a'", "shape", "2.0"});
  expect_refused(with(R"("F32")", R"(["2"])", "[0,8]"), {"'a'", "shape", "\"2\""});
  expect_refused(with(R"("F32")", "[true]", "[0,8]"), {"'a'", "shape", "boolean"});
  expect_refused(with(R"("F32")", "[2]", "[0]"), {"'a'", "data_offsets", "fewer"});
  expect_refused(with(R"("F32")", "[2]", "[0,8,8]"), {"'a'", "data_offsets", "more"});
  expect_refused(with(R"("F32")", "[2]", "[-8,0]"), {"'a'", "data_offsets", "-8"});
  expect_refused(with(R"("F32")", "[2]", R"([0,8],"sparse":true)"), {"'a'", "sparse", "unknown"});
}

TEST(SafetensorsRefuses, MissingFieldsAndEntriesThatAreNoTensors) {
  expect_refused(file_with(R"({"a":{"shape":[0],"data_offsets":[0,0]}})"), {"'a'", "dtype", "missing"});
  expect_refused(file_with(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})"), {"'a'", "shape", "missing"});
  expect_refused(file_with(R"({"a":{"dtype":"U8","shape":[0]}})"), {"'a'", "data_offsets", "missing"});
  expect_refused(file_with(R"({"a":1})"), {"1"});
  expect_refused(file_with(R"({"a":"x"})"), {"x"});
  expect_refused(file_with(R"({"a":[]})"), {"list"});
}

TEST(SafetensorsRefuses, MetadataThatIsNotText) {
  for (const char* value : {"1", "null", "true", "{}", "[]", "1.5", "-1"}) {
    expect_refused(file_with(fmt::format(R"({{"__metadata__":{{"epoch":{}}}}})", value)), {"__metadata__", "epoch"});
  }
}

TEST(SafetensorsRefuses, ByteCountsThatDoNotFitTheShape) {
  expect_refused(file_with(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,7]}})", "1234567"),
                 {"'a'", "7 bytes", "expected 8"});
  expect_refused(file_with(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,0]}})"), {"'a'", "0 bytes", "expected 4"});
  expect_refused(file_with(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", "1"), {"'a'", "end 0 before begin 1"});
}

TEST(SafetensorsRefuses, SizesThatOverflow) {
  for (const char* shape : {"[4611686018427387904,4]", "[9223372036854775807]", "[18446744073709551615]",
                            "[18446744073709551616]", "[4294967296,4294967296]", "[1e3]"}) {
    expect_refused(file_with(fmt::format(R"({{"a":{{"dtype":"F32","shape":{},"data_offsets":[0,0]}}}})", shape)),
                   {"'a'", "shape"});
  }
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  expect_refused(file_with(fmt::format(R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[0,1]}}}})", ones), "x"),
                 {"'a'", "64 axes"});
}

TEST(SafetensorsRefuses, HolesOverlapsAndLeftovers) {
  const auto at = [](const char* second, std::size_t size) {
    return file_with(
        fmt::format(
            R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":[0,4]}},"b":{{"dtype":"U8","shape":[4],"data_offsets":{}}}}})",
            second),
        std::string(size, 'x'));
  };
  ASSERT_TRUE(parse_weights(bytes_of(at("[4,8]", 8)), "x").ok());
  expect_refused(at("[5,9]", 9), {"'b'", "hole"});
  expect_refused(at("[3,7]", 8), {"'b'", "inside"});
  expect_refused(at("[0,4]", 8), {"'b'", "inside"});
  expect_refused(at("[4,8]", 7), {"'b'", "truncated"});
  expect_refused(at("[4,8]", 9), {"1 bytes behind the last tensor"});
  expect_refused(at("[18446744073709551611,18446744073709551615]", 8), {"'b'", "hole"});
}

TEST(SafetensorsRefuses, EveryTruncation) {
  const std::string file = file_with(kTwo, "12345678abc");
  ASSERT_TRUE(parse_weights(bytes_of(file), "x").ok());
  for (std::size_t size = 0; size < file.size(); ++size) expect_refused(std::string_view(file).substr(0, size), {});
}

TEST(SafetensorsWrite, RefusesNamesThatRepeatAndBytesThatDoNotFit) {
  const test::TemporaryFolder folder;
  const auto refused = [&](std::vector<StoredTensor> tensors, const std::map<std::string, std::string>& metadata) {
    const auto written = write_safetensors(folder / "x", tensors, metadata);
    return !written.ok() && written.error().kind == Error::Kind::kUsage && !std::filesystem::exists(folder / "x");
  };
  const StoredTensor good{"a", DType::kU8, {2}, bytes_of("12")};
  EXPECT_FALSE(refused({}, {}));
  std::filesystem::remove(folder / "x");
  EXPECT_TRUE(refused({good, good}, {}));
  EXPECT_TRUE(refused({{"__metadata__", DType::kU8, {2}, bytes_of("12")}}, {}));
  EXPECT_TRUE(refused({{"a", DType::kU8, {3}, bytes_of("12")}}, {}));
  EXPECT_TRUE(refused({{"a", DType::kF32, {1}, bytes_of("12345")}}, {}));
  EXPECT_TRUE(refused({{"a", DType::kU8, {-2}, bytes_of("12")}}, {}));
  EXPECT_TRUE(refused({{"\xff", DType::kU8, {2}, bytes_of("12")}}, {}));
  EXPECT_TRUE(refused({good}, {{"k", "\xff"}}));
}

TEST(SafetensorsWrite, AFullDiskKeepsTheOldFile) {
  const auto written = write_safetensors("/dev/full/x", {}, {});
  ASSERT_FALSE(written.ok());
  EXPECT_THAT(written.error().message, testing::HasSubstr("/dev/full/x"));
}

TEST(Safetensors, OpensThePretrainedBackbone) {
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  const auto file = open_weights(test::shared_path("weights/efficientnet_lite0.safetensors"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  const StoredTensor* stem = file->find("_conv_stem.weight");
  ASSERT_NE(stem, nullptr);
  EXPECT_EQ(stem->dtype, DType::kF16);
  EXPECT_THAT(stem->extents, testing::ElementsAre(32, 3, 3, 3));
  EXPECT_EQ(file->to_f32("_conv_stem.weight")->size(), 32U * 3 * 3 * 3);
}

TEST(OpenWeights, NamesTheFileAndWhatItHolds) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "photo.safetensors", "\xFF\xD8\xFF\xE0 not weights").ok());
  const auto file = open_weights(folder / "photo.safetensors");
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(file.error().message, testing::AllOf(testing::HasSubstr("photo.safetensors"), testing::HasSubstr("\\xff\\xd8")));
  EXPECT_EQ(open_weights(folder / "none").error().kind, Error::Kind::kNotFound);
  EXPECT_FALSE(open_weights(folder.path()).ok());
  expect_refused("\x89HDF\r\n\x1a\n....", {"HDF5"});
}

}  // namespace
}  // namespace fovea
