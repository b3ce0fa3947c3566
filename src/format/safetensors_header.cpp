// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors_header.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/shape.h"

namespace fovea {
namespace {

constexpr std::size_t kRankLimit = 64;

std::optional<DType> dtype_named(std::string_view name) {
  for (const DType type : {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kI64, DType::kI32, DType::kI16, DType::kI8,
                           DType::kU8, DType::kBool}) {
    if (name == name_of(type)) return type;
  }
  return std::nullopt;
}

// Follows the parser event by event. Only four levels exist, so nesting is bounded by what is accepted, and a
// repeated key is seen, which a parsed document would hide.
class HeaderReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  Error error{Error::Kind::kFormat, ""};

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t value) override { return unexpected(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return unexpected(printable(text)); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) return add_extent(value);
    if (place_ != Place::kOffsets) return unexpected(std::to_string(value));
    if (offset_count_ == 2) return refuse("more than 2 values, expected [begin, end]");
    header.entries.back().offsets[offset_count_++] = value;
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Place::kMetadata && !key_.empty()) {
      header.metadata[std::exchange(key_, {})] = std::move(text);
      return true;
    }
    if (place_ != Place::kTensor || key_ != "dtype") return unexpected("the text \"" + printable(text) + "\"");
    const auto type = dtype_named(text);
    if (!type) return refuse("\"" + printable(text) + "\" is not a dtype that Fovea knows");
    header.entries.back().dtype = *type;
    return true;
  }

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::kOutside: place_ = Place::kRoot; return true;
      case Place::kRoot: place_ = header_key_is_metadata_ ? Place::kMetadata : Place::kTensor; return true;
      default: return unexpected("an object");
    }
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::kTensor || key_ == "dtype") return unexpected("a list");
    place_ = key_ == "shape" ? Place::kShape : Place::kOffsets;
    return true;
  }

  bool key(string_t& text) override {
    switch (place_) {
      case Place::kRoot: return begin_entry(text);
      case Place::kMetadata: return begin_metadata(text);
      default: return begin_field(text);
    }
  }

  bool end_object() override {
    if (place_ == Place::kTensor && !end_tensor()) return false;
    place_ = place_ == Place::kRoot ? Place::kOutside : Place::kRoot;
    key_.clear();
    return true;
  }

  bool end_array() override {
    if (place_ == Place::kOffsets && offset_count_ != 2) return refuse("fewer than 2 values, expected [begin, end]");
    place_ = Place::kTensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    error = fail(Error::Kind::kFormat, "header: not JSON in UTF-8 at its byte {}", position);
    return false;
  }

 private:
  enum class Place { kOutside, kRoot, kMetadata, kTensor, kShape, kOffsets };

  bool begin_entry(const std::string& name) {
    if (!names_.insert(name).second) return refuse_header("\"" + printable(name) + "\" appears twice");
    header_key_is_metadata_ = name == "__metadata__";
    if (!header_key_is_metadata_) header.entries.push_back({.name = name, .dtype = {}, .extents = {}, .offsets = {}});
    seen_.clear();
    offset_count_ = 0;
    return true;
  }

  bool begin_metadata(const std::string& name) {
    if (name.empty()) return refuse_header("__metadata__: an empty key");
    if (header.metadata.contains(name)) return refuse_header("__metadata__: \"" + printable(name) + "\" appears twice");
    key_ = name;
    return true;
  }

  bool begin_field(const std::string& name) {
    key_ = name;
    if (name != "dtype" && name != "shape" && name != "data_offsets") return refuse("an unknown field");
    if (!seen_.insert(name).second) return refuse("appears twice");
    return true;
  }

  bool add_extent(std::uint64_t value) {
    auto& extents = header.entries.back().extents;
    if (extents.size() == kRankLimit) return refuse(fmt::format("more than {} axes", kRankLimit));
    if (!std::in_range<std::int64_t>(value)) return refuse(fmt::format("{} overflows", value));
    extents.push_back(static_cast<std::int64_t>(value));
    return true;
  }

  // The three fields may come in any order, so what ties them together is checked behind the last.
  bool end_tensor() {
    const SafetensorsEntry& entry = header.entries.back();
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      key_ = field;
      if (!seen_.contains(field)) return refuse("missing");
    }
    const auto elements = checked_elements(entry.extents);
    const auto size = static_cast<std::int64_t>(size_of(entry.dtype));
    key_ = "shape";
    if (!elements || *elements > std::numeric_limits<std::int64_t>::max() / size) return refuse("its size in bytes overflows");
    const auto [begin, end] = entry.offsets;
    key_ = "data_offsets";
    if (begin > end) return refuse(fmt::format("end {} before begin {}", end, begin));
    const auto want = static_cast<std::uint64_t>(*elements * size);
    if (end - begin == want) return true;
    return refuse(fmt::format("{} bytes, expected {} for its dtype and shape", end - begin, want));
  }

  bool unexpected(std::string_view what) { return refuse(fmt::format("{}, which does not belong there", what)); }

  bool refuse(std::string_view reason) {
    if (place_ == Place::kOutside) return refuse_header(reason);
    if (place_ == Place::kRoot) return refuse_header(fmt::format("an entry that is {}", reason));
    if (place_ == Place::kMetadata) return refuse_header(fmt::format("__metadata__ \"{}\": {}", printable(key_), reason));
    error = fail(Error::Kind::kFormat, "tensor '{}': {}: {}", printable(header.entries.back().name), printable(key_), reason);
    return false;
  }

  bool refuse_header(std::string_view reason) {
    error = fail(Error::Kind::kFormat, "header: {}", reason);
    return false;
  }

  Place place_ = Place::kOutside;
  bool header_key_is_metadata_ = false;
  std::string key_;  // the field whose value comes next, inside a tensor or the metadata
  std::size_t offset_count_ = 0;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Result<SafetensorsHeader> parse_safetensors_header(std::string_view json) {
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reader)) return std::move(reader.error);
  return std::move(reader.header);
}

}  // namespace fovea
