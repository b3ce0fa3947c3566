// SPDX-License-Identifier: Apache-2.0
#include "image/signed_picture.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/file.h"

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
  constexpr std::size_t kLooked = 256;
  const std::string begin = read_head(path, kLooked);
  return begin.find(kJpegComment) != std::string::npos || begin.find(kPngText) != std::string::npos;
}

}  // namespace

Result<void> write_signed_picture(const std::filesystem::path& path, std::span<const std::byte> picture) {
  const bool jpeg = is_jpeg(picture);
  std::string bytes(reinterpret_cast<const char*>(picture.data()), picture.size());
  bytes.insert(std::min(bytes.size(), jpeg ? jpeg_begin(picture) : kPngBegin), jpeg ? kJpegComment : kPngText);
  return write_file_atomically(path, bytes);
}

Result<void> check_picture_output(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code) || is_signed(path)) return {};
  return fail(Error::Kind::kUsage,
              "{}: is there already and no picture of Fovea's, so it stays: choose another name, or remove it", path.string());
}

}  // namespace fovea
