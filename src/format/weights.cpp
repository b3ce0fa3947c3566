// SPDX-License-Identifier: Apache-2.0
#include "format/weights.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "format/byte_cursor.h"
#include "format/safetensors.h"
#include "format/torch_checkpoint.h"

namespace fovea {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are used as the files store them: little-endian");

Result<WeightContents> read_contents(Bytes bytes) {
  if (text_of(bytes).starts_with("\x89HDF\r\n\x1a\n")) {
    return fail(Error::Kind::kUnsupported, "a Keras HDF5 file, which is not read: save the weights as safetensors");
  }
  if (looks_like_zip(bytes)) return read_torch_zip(bytes);
  if (looks_like_torch_legacy(bytes)) return read_torch_legacy(bytes);
  if (looks_like_safetensors(bytes)) return read_safetensors(bytes);
  const std::string_view head = text_of(bytes.first(std::min<std::size_t>(bytes.size(), 8)));
  return fail(Error::Kind::kFormat, "{} bytes that begin with \"{}\", expected a safetensors or PyTorch file", bytes.size(),
              printable(head));
}

Result<WeightFile> parse(MappedFile file, Bytes bytes, std::string source) {
  auto contents = read_contents(bytes);
  if (!contents) return Error{contents.error().kind, source + ": " + contents.error().message};
  return WeightFile(std::move(file), std::move(source), std::move(contents).value());
}

}  // namespace

WeightFile::WeightFile(MappedFile file, std::string source, WeightContents contents)
    : file_(std::move(file)), source_(std::move(source)), contents_(std::move(contents)) {
  for (std::size_t i = 0; i < contents_.tensors.size(); ++i) index_.emplace(contents_.tensors[i].name, i);
}

const StoredTensor* WeightFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &contents_.tensors[found->second];
}

Result<std::vector<float>> WeightFile::to_f32(std::string_view name) const {
  const StoredTensor* tensor = find(name);
  if (tensor == nullptr) {
    return fail(Error::Kind::kNotFound, "{}: no tensor '{}' among its {}", source_, printable(name), contents_.tensors.size());
  }
  std::vector<float> values(tensor->elements());
  FOVEA_TRY(read_f32(*tensor, values));
  return values;
}

Result<void> WeightFile::read_f32(const StoredTensor& tensor, std::span<float> out) const {
  assert(out.size() == tensor.elements());
  convert_to_f32(tensor.dtype, tensor.data.data(), out.size(), out.data());
  constexpr std::uint32_t kExponent = 0x7F800000U;  // all ones: infinite or not a number
  std::uint32_t any = 0;                            // looked at without a branch, so that the compiler may use vectors
  for (const float value : out) any |= (std::bit_cast<std::uint32_t>(value) & kExponent) == kExponent ? 1U : 0U;
  if (any == 0) return {};
  const auto bad = std::ranges::find_if(out, [](float value) { return !std::isfinite(value); });
  return fail(Error::Kind::kFormat, "{}: tensor '{}': element {} is {}, expected a finite number", source_,
              printable(tensor.name), bad - out.begin(), *bad);
}

std::filesystem::path weights_path(const std::filesystem::path& path) {
  std::error_code ignored;
  if (path.has_extension() || std::filesystem::exists(path, ignored)) return path;
  std::filesystem::path named = path;
  named += kWeightExtensions.front();
  return std::filesystem::exists(named, ignored) ? named : path;
}

Result<WeightFile> open_weights(const std::filesystem::path& name) {
  const std::filesystem::path path = weights_path(name);
  FOVEA_ASSIGN(MappedFile file, MappedFile::open(path));
  const Bytes bytes = file.bytes();
  return parse(std::move(file), bytes, path.string());
}

Result<WeightFile> parse_weights(Bytes bytes, std::string source) { return parse({}, bytes, std::move(source)); }

std::string to_string(std::span<const std::int64_t> extents) {
  return extents.empty() ? "scalar" : fmt::format("{}", fmt::join(extents, "x"));
}

}  // namespace fovea
