// SPDX-License-Identifier: Apache-2.0
//
// The extended file format of WebP (RFC 9649, section 2.7).
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/decode.h"
#include "metadata/container.h"

namespace fovea::metadata {
namespace {

constexpr std::size_t kFirstChunk = 12;  // behind "RIFF", size, "WEBP"
constexpr std::byte kXmpFlag{0x04};
constexpr std::byte kAlphaFlag{0x10};

struct Chunk {
  std::string_view type;
  Bytes data;
  std::size_t begin = 0;
  std::size_t end = 0;  ///< with the byte that fills it up to an even size
};

// The end of what the file's own header counts; bytes behind it belong to nobody.
std::size_t riff_end(Bytes file) {
  return std::min<std::size_t>(file.size(), std::size_t{read_uint(file, 4, 4, ByteOrder::kLittle)} + 8);
}

std::optional<Chunk> chunk_at(Bytes file, std::size_t at) {
  if (at > file.size() || file.size() - at < 8) return std::nullopt;
  const std::size_t size = read_uint(file, at + 4, 4, ByteOrder::kLittle);
  if (size > file.size() - at - 8) return std::nullopt;
  const std::size_t end = std::min(file.size(), at + 8 + size + size % 2);
  return Chunk{as_text(file.subspan(at, 4)), file.subspan(at + 8, size), at, end};
}

std::string number(std::size_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xFFU);
  return text;
}

std::string chunk_text(std::string_view type, std::string_view data) {
  std::string text = std::string(type) + number(data.size(), 4) + std::string(data);
  if (data.size() % 2 != 0) text += '\0';
  return text;
}

// A simple file becomes an extended one by this chunk in front.
Result<std::string> extension(Bytes file, const Chunk& picture) {
  FOVEA_ASSIGN(const ImageInfo info, read_image_info(file));
  // The lossless form says in its header whether there is alpha (the 29th bit behind the signature byte).
  const bool alpha = picture.type == "VP8L" && (read_uint(picture.data, 1, 4, ByteOrder::kLittle) >> 28U & 1U) != 0;
  std::string data = number(std::to_integer<std::size_t>(kXmpFlag | (alpha ? kAlphaFlag : std::byte{0})), 4);
  data += number(static_cast<std::size_t>(info.width - 1), 3) + number(static_cast<std::size_t>(info.height - 1), 3);
  return chunk_text("VP8X", data);
}

}  // namespace

Blocks find_webp_blocks(Bytes file) {
  Blocks blocks;
  const Bytes inside = file.first(riff_end(file));
  for (auto chunk = chunk_at(inside, kFirstChunk); chunk; chunk = chunk_at(inside, chunk->end)) {
    if (chunk->type == "EXIF") blocks.exif = chunk->data;
    if (chunk->type == "XMP ") blocks.xmp = chunk->data;
  }
  return blocks;
}

Result<Splices> embed_in_webp(Bytes file, std::string_view packet) {
  const std::size_t end = riff_end(file);
  const Bytes inside = file.first(end);
  const auto first = chunk_at(inside, kFirstChunk);
  if (!first) return fail(Error::Kind::kFormat, "WebP: no picture");
  Splice xmp{end, 0, copy_of(as_bytes(chunk_text("XMP ", packet)))};
  std::size_t at = first->begin;
  for (auto chunk = first; chunk; chunk = chunk_at(inside, at)) {
    if (chunk->type == "XMP ") xmp = {chunk->begin, chunk->end - chunk->begin, std::move(xmp.inserted)};
    at = chunk->end;
  }
  if (at != end || end % 2 != 0) return fail(Error::Kind::kFormat, "WebP: its size does not agree with its chunks");
  Splices splices;
  std::size_t grown = xmp.inserted.size() - xmp.removed;
  if (first->type != "VP8X") {
    FOVEA_ASSIGN(const std::string head, extension(file, *first));
    grown += head.size();
    splices.push_back({first->begin, 0, copy_of(as_bytes(head))});
  } else if (first->data.size() >= 10) {
    if ((first->data[0] & kXmpFlag) == std::byte{0}) splices.push_back({first->begin + 8, 1, {first->data[0] | kXmpFlag}});
  } else {
    return fail(Error::Kind::kFormat, "WebP: its header is damaged");
  }
  const std::size_t size = end - 8 + grown;
  if (size > 0xFFFFFFF0U) return fail(Error::Kind::kLimit, "WebP: more than 4 GB");
  splices.insert(splices.begin(), {4, 4, copy_of(as_bytes(number(size, 4)))});
  splices.push_back(std::move(xmp));
  return splices;
}

}  // namespace fovea::metadata
