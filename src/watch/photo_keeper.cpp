// SPDX-License-Identifier: Apache-2.0
#include "watch/photo_keeper.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"

namespace fovea::watching {
namespace {

namespace fs = std::filesystem;

std::string_view extension_of(const Picture& picture) {
  const auto format = sniff(picture);
  if (!format) return ".bin";
  switch (*format) {
    case ImageFormat::kJpeg: return ".jpg";
    case ImageFormat::kPng: return ".png";
    case ImageFormat::kWebp: return ".webp";
    case ImageFormat::kGif: return ".gif";
    case ImageFormat::kTiff: return ".tif";
    case ImageFormat::kBmp: return ".bmp";
    case ImageFormat::kHeif: return ".heic";
    case ImageFormat::kAvif: return ".avif";
    case ImageFormat::kRaw: return ".raw";
  }
  return ".bin";
}

/// Removes folders that have become empty, from the innermost outwards; `top` stays.
void remove_empty(fs::path folder, const fs::path& top) {
  std::error_code error;
  for (int depth = 0; depth < 3 && folder != top; ++depth) {
    if (!fs::is_empty(folder, error) || error || !fs::remove(folder, error)) return;
    folder = folder.parent_path();
  }
}

}  // namespace

std::vector<std::byte> small_jpeg(const Image& photo, int side, int quality) {
  const double scale = static_cast<double>(side) / std::max(photo.width, photo.height);
  if (scale >= 1) return encode_jpeg(photo, quality);
  const auto scaled = [&](int extent) { return std::max(1, static_cast<int>(std::lround(extent * scale))); };
  return encode_jpeg(resize(photo, scaled(photo.width), scaled(photo.height), Filter::kBilinear), quality);
}

Result<PhotoKeeper::File> PhotoKeeper::keep(std::chrono::sys_seconds time, const Picture& picture, const Image& photo) const {
  if (keep_ == KeepPhotos::kNone) return File{};
  const bool whole = keep_ == KeepPhotos::kAll;
  const std::vector<std::byte> bytes = whole ? picture : small_jpeg(photo, kThumbnailSide, 80);
  const std::time_t seconds = time.time_since_epoch().count();
  const std::tm utc = fmt::gmtime(seconds);
  const fs::path folder = folder_ / fmt::format("{:%Y/%m/%d}", utc);
  const std::string stem = fmt::format("{:%Y%m%dT%H%M%SZ}", utc);
  const std::string_view extension = whole ? extension_of(picture) : ".jpg";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(Error::Kind::kIo, "{}: cannot create: {}", folder.string(), error.message());
  fs::path path = folder / fmt::format("{}{}", stem, extension);
  for (int n = 2; fs::exists(path, error); ++n) path = folder / fmt::format("{}-{}{}", stem, n, extension);
  FOVEA_ASSIGN(AtomicFile file, AtomicFile::create(path));
  FOVEA_TRY(file.write(bytes));
  FOVEA_TRY(file.commit());
  return File{path, static_cast<std::int64_t>(bytes.size())};
}

std::vector<std::byte> PhotoKeeper::page_picture(const Image& photo) const {
  return keep_ == KeepPhotos::kNone ? std::vector<std::byte>() : small_jpeg(photo, kPageSide, 70);
}

Result<std::int64_t> PhotoKeeper::trim(Store& store) const {
  FOVEA_ASSIGN(std::int64_t bytes, store.photo_bytes());
  std::int64_t removed = 0;
  while (bytes > most_bytes_) {
    FOVEA_ASSIGN(const auto oldest, store.oldest_photo());
    if (!oldest) break;
    std::error_code error;
    const auto size = fs::file_size(oldest->path, error);
    if (!error && static_cast<std::int64_t>(size) == oldest->bytes) {
      if (!fs::remove(oldest->path, error)) {
        return fail(Error::Kind::kIo, "{}: cannot remove: {}", oldest->path.string(), error.message());
      }
      ++removed;
      remove_empty(oldest->path.parent_path(), folder_);
    }
    FOVEA_TRY(store.forget_photo(oldest->slot));
    bytes -= oldest->bytes;
  }
  return removed;
}

}  // namespace fovea::watching
