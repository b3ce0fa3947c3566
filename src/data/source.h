// Fovea: where pixels come from: straight from the photo, or from a cache of what was decoded before.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "fovea/result.h"
#include "image/image.h"
#include "image/preprocess.h"

namespace fovea {

/// Gives the decoded pixels of a photo. May be called by several threads at once.
class PhotoSource {
 public:
  PhotoSource() = default;
  PhotoSource(const PhotoSource&) = delete;
  PhotoSource& operator=(const PhotoSource&) = delete;
  virtual ~PhotoSource() = default;

  /// The path begins the message of every error.
  virtual Result<Image> load(const std::filesystem::path& path) = 0;

  /// What `load` has applied already: then its pictures are the network's input as they are. Null: none.
  [[nodiscard]] virtual const Preprocess* fitted() const { return nullptr; }
};

/// Decodes at every call.
class Decoder final : public PhotoSource {
 public:
  /// `shorter_side_needed` as in DecodeOptions; 0 decodes at full size.
  explicit Decoder(int shorter_side_needed = 0) : shorter_side_needed_(shorter_side_needed) {}
  Result<Image> load(const std::filesystem::path& path) override;

 private:
  int shorter_side_needed_;
};

}  // namespace fovea
