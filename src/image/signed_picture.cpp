// SPDX-License-Identifier: Apache-2.0
#include "image/signed_picture.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "core/error.h"

namespace fovea {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kJpegComment =
    "\xFF\xFE\x00\x07"
    "Fovea"sv;
// Length, type, text, CRC-32 of type and text.
constexpr std::string_view kPngText =
    "\x00\x00\x00\x0E"
    "tEXtSoftware\x00"
    "Fovea"
    "\x6E\xE7\x8A\xF0"sv;
constexpr std::size_t kPngBegin = 8 + 25;  // signature and IHDR

bool is_jpeg(std::span<const std::byte> picture) { return picture.size() > 6 && picture[0] == std::byte{0xFF}; }

/// Behind the start and JFIF's segment, which is to be the first.
std::size_t jpeg_begin(std::span<const std::byte> picture) {
  if (picture[3] != std::byte{0xE0}) return 2;
  return 4 + (std::to_integer<std::size_t>(picture[4]) << 8) + std::to_integer<std::size_t>(picture[5]);
}

bool is_signed(const std::filesystem::path& path) {
  std::array<char, 256> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view begin(head.data(), static_cast<std::size_t>(file.gcount()));
  return begin.find(kJpegComment) != std::string_view::npos || begin.find(kPngText) != std::string_view::npos;
}

}  // namespace

std::vector<std::byte> signed_picture(std::vector<std::byte> picture) {
  const bool jpeg = is_jpeg(picture);
  const auto comment = std::as_bytes(std::span(jpeg ? kJpegComment : kPngText));
  const std::size_t at = std::min(picture.size(), jpeg ? jpeg_begin(picture) : kPngBegin);
  picture.insert(picture.begin() + static_cast<std::ptrdiff_t>(at), comment.begin(), comment.end());
  return picture;
}

Result<void> check_picture_output(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code) || is_signed(path)) return {};
  return fail(Error::Kind::kUsage,
              "{}: is there already and no picture of Fovea's, so it stays: choose another name, or remove it", path.string());
}

}  // namespace fovea
