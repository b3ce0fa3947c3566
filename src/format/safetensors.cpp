// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "core/buffer.h"
#include "core/error.h"
#include "core/shape.h"
#include "format/safetensors_header.h"

namespace fovea {
namespace {

constexpr std::size_t kLengthBytes = sizeof(std::uint64_t);

std::uint64_t header_length(Bytes file) {
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  return length;
}

// In the order of the buffer, each tensor must begin where the one before it ended.
Result<void> check_coverage(const std::vector<SafetensorsEntry>& entries, std::uint64_t buffer_size) {
  std::uint64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    const auto [begin, end] = entry.offsets;
    if (begin != covered) {
      return fail(Error::Kind::kFormat, "tensor '{}': data_offsets: begins at {}, {} at {}", printable(entry.name), begin,
                  begin > covered ? "a hole behind the tensor that ends" : "inside the tensor that ends", covered);
    }
    if (end > buffer_size) {
      return fail(Error::Kind::kFormat,
                  "tensor '{}': data_offsets: ends at {}, but the file holds {} bytes of tensors: truncated?",
                  printable(entry.name), end, buffer_size);
    }
    covered = end;
  }
  if (covered != buffer_size) {
    return fail(Error::Kind::kFormat, "{} bytes behind the last tensor, expected none", buffer_size - covered);
  }
  return {};
}

// Text as JSON quotes it; throws when it is not UTF-8.
std::string quoted(const std::string& text) { return nlohmann::json(text).dump(); }

// By hand because a document would cost a search per tensor or lose the order.
std::string header_json(std::span<const StoredTensor* const> order, const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + nlohmann::json(metadata).dump();
  std::size_t offset = 0;
  for (const StoredTensor* tensor : order) {
    const std::size_t end = offset + tensor->data.size();
    text += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", text.size() > 1 ? "," : "",
                        quoted(tensor->name), name_of(tensor->dtype), fmt::join(tensor->extents, ","), offset, end);
    offset = end;
  }
  text += '}';
  text.resize(align_up(text.size() + kLengthBytes) - kLengthBytes, ' ');
  return text;
}

Result<void> check_writable(std::span<const StoredTensor> tensors) {
  std::unordered_set<std::string_view> names{"__metadata__"};
  for (const StoredTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      return fail(Error::Kind::kUsage, "tensor '{}': the name is reserved or used twice", printable(tensor.name));
    }
    const auto elements = checked_elements(tensor.extents);
    if (!elements || tensor.data.size() % size_of(tensor.dtype) != 0 ||
        tensor.elements() != static_cast<std::size_t>(*elements)) {
      return fail(Error::Kind::kUsage, "tensor '{}': {} bytes do not fit {} of {}", printable(tensor.name), tensor.data.size(),
                  name_of(tensor.dtype), to_string(tensor.extents));
    }
  }
  return {};
}

}  // namespace

bool looks_like_safetensors(Bytes file) { return file.size() > kLengthBytes && file[kLengthBytes] == std::byte{'{'}; }

Result<WeightContents> read_safetensors(Bytes file) {
  if (file.size() < kLengthBytes) return fail(Error::Kind::kFormat, "{} bytes, too few for a header", file.size());
  const std::uint64_t length = header_length(file);
  if (length > kSafetensorsHeaderLimit) {
    return fail(Error::Kind::kLimit, "header: length {}, more than the limit of {}", length, kSafetensorsHeaderLimit);
  }
  if (length > file.size() - kLengthBytes) {
    return fail(Error::Kind::kFormat, "header: length {}, but only {} bytes follow: truncated?", length,
                file.size() - kLengthBytes);
  }
  const std::string_view json(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (!json.starts_with('{')) return fail(Error::Kind::kFormat, "header: does not begin with '{{'");
  FOVEA_ASSIGN(SafetensorsHeader header, parse_safetensors_header(json));

  std::ranges::stable_sort(header.entries, {}, &SafetensorsEntry::offsets);
  const Bytes buffer = file.subspan(kLengthBytes + length);
  FOVEA_TRY(check_coverage(header.entries, buffer.size()));
  WeightContents contents;
  contents.metadata = std::move(header.metadata);
  contents.tensors.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    const Bytes data = buffer.subspan(entry.offsets[0], entry.offsets[1] - entry.offsets[0]);
    contents.tensors.push_back({std::move(entry.name), entry.dtype, std::move(entry.extents), data});
  }
  return contents;
}

Result<void> write_safetensors(const std::filesystem::path& path, std::span<const StoredTensor> tensors,
                               const std::map<std::string, std::string>& metadata) {
  if (auto checked = check_writable(tensors); !checked) {
    return Error{checked.error().kind, path.string() + ": " + checked.error().message};
  }
  std::vector<const StoredTensor*> order;
  for (const StoredTensor& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::greater{}, [](const StoredTensor* tensor) { return size_of(tensor->dtype); });
  std::string header;
  try {
    header = header_json(order, metadata);
  } catch (const nlohmann::json::exception&) {
    return fail(Error::Kind::kUsage, "{}: a tensor name or metadata text is not UTF-8", path.string());
  }
  if (header.size() > kSafetensorsHeaderLimit) {
    return fail(Error::Kind::kLimit, "{}: header of {} bytes, more than the limit of {}", path.string(), header.size(),
                kSafetensorsHeaderLimit);
  }
  FOVEA_ASSIGN(AtomicFile file, AtomicFile::create(path));
  const std::uint64_t length = header.size();
  FOVEA_TRY(file.write(std::as_bytes(std::span(&length, 1))));
  FOVEA_TRY(file.write(header));
  for (const StoredTensor* tensor : order) FOVEA_TRY(file.write(tensor->data));
  return file.commit();
}

}  // namespace fovea
