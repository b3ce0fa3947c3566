// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/byte_order.h"
#include "metadata/container.h"

namespace fovea::metadata {
namespace {

using namespace std::string_view_literals;

// An international text chunk: keyword, NUL, not compressed, method 0, no language, no translated keyword.
constexpr std::string_view kXmpKeyword = "XML:com.adobe.xmp\0"sv;
constexpr std::string_view kPlainHead = "XML:com.adobe.xmp\0\0\0\0\0"sv;
constexpr std::size_t kFrame = 12;  // length, type, CRC

struct Chunk {
  std::string_view type;
  Bytes data;
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::optional<Chunk> chunk_at(Bytes file, std::size_t at) {
  if (at > file.size() || file.size() - at < kFrame) return std::nullopt;
  const std::size_t length = read_uint(file, at, 4, ByteOrder::kBig);
  if (length > file.size() - at - kFrame) return std::nullopt;
  return Chunk{as_text(file.subspan(at + 4, 4)), file.subspan(at + 8, length), at, at + kFrame + length};
}

bool is_xmp(const Chunk& chunk) { return chunk.type == "iTXt" && has_at(chunk.data, 0, kXmpKeyword); }

std::string number(std::uint32_t value) {
  std::string text;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) text += static_cast<char>(value >> shift & 0xFFU);
  return text;
}

std::vector<std::byte> xmp_chunk(std::string_view packet) {
  const std::string body = "iTXt" + std::string(kPlainHead) + std::string(packet);
  const uLong sum = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return copy_of(as_bytes(number(static_cast<std::uint32_t>(body.size() - 4)) + body + number(static_cast<std::uint32_t>(sum))));
}

constexpr std::size_t kFirstChunk = 8;  // behind the signature

}  // namespace

Blocks find_png_blocks(Bytes file) {
  Blocks blocks;
  for (auto chunk = chunk_at(file, kFirstChunk); chunk; chunk = chunk_at(file, chunk->end)) {
    if (chunk->type == "eXIf") blocks.exif = chunk->data;
    if (is_xmp(*chunk) && has_at(chunk->data, 0, kPlainHead)) blocks.xmp = chunk->data.subspan(kPlainHead.size());
    if (chunk->type == "IEND") break;
  }
  return blocks;
}

Result<Splices> embed_in_png(Bytes file, std::string_view packet) {
  constexpr std::size_t kMost = 64U << 20U;
  if (packet.size() > kMost) return fail(Error::Kind::kLimit, "{} bytes of XMP", packet.size());
  std::optional<std::size_t> picture;
  for (auto chunk = chunk_at(file, kFirstChunk); chunk; chunk = chunk_at(file, chunk->end)) {
    if (is_xmp(*chunk)) {
      if (!has_at(chunk->data, 0, kPlainHead)) {
        return fail(Error::Kind::kUnsupported, "PNG: its XMP is compressed or in a named language");
      }
      return Splices{{chunk->begin, chunk->end - chunk->begin, xmp_chunk(packet)}};
    }
    if (chunk->type == "IDAT" && !picture) picture = chunk->begin;
    if (chunk->type == "IEND") break;
  }
  if (!picture) return fail(Error::Kind::kFormat, "PNG: no picture");
  return Splices{{*picture, 0, xmp_chunk(packet)}};
}

}  // namespace fovea::metadata
