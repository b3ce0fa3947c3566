// SPDX-License-Identifier: Apache-2.0
#include "video/jpeg_splitter.h"

#include <algorithm>

#include "core/error.h"

namespace fovea::video {
namespace {

constexpr unsigned kStartOfImage = 0xD8;
constexpr unsigned kEndOfImage = 0xD9;
constexpr unsigned kFirstRestart = 0xD0;
constexpr unsigned kTemporary = 0x01;

}  // namespace

void JpegSplitter::add(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

/// Goes on from place_; true when it stands behind the end of the picture.
bool JpegSplitter::find_end() {
  while (place_ + 1 < bytes_.size()) {
    if (at(place_) != 0xFF) {  // data of a scan, or damage: the next marker is looked for
      ++place_;
      continue;
    }
    const unsigned marker = at(place_ + 1);
    if (marker == 0xFF) {  // fill
      ++place_;
      continue;
    }
    if (marker == kEndOfImage) {
      place_ += 2;
      return true;
    }
    if (marker == kStartOfImage) {  // the one before was cut off
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(place_));
      place_ = 2;
      continue;
    }
    const bool bare = marker == 0 || marker == kTemporary || (marker >= kFirstRestart && marker < kStartOfImage);
    if (bare) {
      place_ += 2;
      continue;
    }
    if (place_ + 3 >= bytes_.size()) return false;
    place_ += 2 + std::max<std::size_t>(2, at(place_ + 2) << 8 | at(place_ + 3));
  }
  return false;
}

Result<std::optional<std::vector<std::byte>>> JpegSplitter::next() {
  using Picture = std::vector<std::byte>;
  if (!begun_) {
    constexpr std::byte kStart[] = {std::byte{0xFF}, std::byte{kStartOfImage}, std::byte{0xFF}};
    const auto start = std::search(bytes_.begin(), bytes_.end(), std::begin(kStart), std::end(kStart));
    begun_ = start != bytes_.end();
    // The last two may begin the next picture.
    const auto keep = begun_ ? start : bytes_.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, bytes_.size()));
    bytes_.erase(bytes_.begin(), keep);
    if (!begun_) return std::optional<Picture>();
    place_ = 2;
  }
  if (find_end()) {
    const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(place_);
    Picture picture(bytes_.begin(), end);
    bytes_.erase(bytes_.begin(), end);
    begun_ = false;
    return std::optional(std::move(picture));
  }
  if (bytes_.size() <= kMostBytes) return std::optional<Picture>();
  bytes_.clear();
  begun_ = false;
  return fail(Error::Kind::kLimit, "a picture of more than {} bytes", kMostBytes);
}

}  // namespace fovea::video
