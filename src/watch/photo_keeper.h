// Fovea: photos of a watch on disk, by policy and below a ceiling.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "fovea/watch.h"
#include "image/image.h"
#include "watch/source.h"
#include "watch/store.h"

namespace fovea::watching {

/// A JPEG of `photo` with a longer side of `side` pixels at most.
[[nodiscard]] std::vector<std::byte> small_jpeg(const Image& photo, int side, int quality);

/// Longer sides, in pixels.
inline constexpr int kThumbnailSide = 320;  ///< of what KeepPhotos::kThumbnails keeps
inline constexpr int kPageSide = 112;       ///< of what the page shows

class PhotoKeeper {
 public:
  PhotoKeeper(std::filesystem::path folder, KeepPhotos keep, std::int64_t most_bytes)
      : folder_(std::move(folder)), keep_(keep), most_bytes_(most_bytes) {}

  struct File {
    std::filesystem::path path;  ///< empty: nothing was to be kept
    std::int64_t bytes = 0;
  };
  /// Writes FOLDER/2026/11/22/20261122T194000Z.jpg (or .png, ...: what `picture` is; with a number if that name is taken).
  Result<File> keep(std::chrono::sys_seconds time, const Picture& picture, const Image& photo) const;

  /// What the page shows of it; empty with KeepPhotos::kNone.
  [[nodiscard]] std::vector<std::byte> page_picture(const Image& photo) const;

  /// Removes the oldest photos that `store` knows until the rest is within the ceiling; how many. One that was replaced by
  /// another file meanwhile is not ours any more, and stays.
  Result<std::int64_t> trim(Store& store) const;

 private:
  std::filesystem::path folder_;
  KeepPhotos keep_;
  std::int64_t most_bytes_;
};

}  // namespace fovea::watching
