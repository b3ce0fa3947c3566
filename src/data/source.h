// Fovea: where pixels come from: straight from the photo, or from a cache of what was decoded before.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "fovea/result.h"
#include "image/image.h"
#include "image/preprocess.h"

namespace fovea {

/// Makes pictures of photo files in another way than decode_image. May be called by several threads at once.
class FileDecoder {
 public:
  FileDecoder() = default;
  FileDecoder(const FileDecoder&) = delete;
  FileDecoder& operator=(const FileDecoder&) = delete;
  virtual ~FileDecoder() = default;
  /// Of what gives the same pixels: a cache keeps them under it.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Upright, its shorter side at least `shorter_side` if it was so long; scaling down any further is left to the caller.
  virtual Result<Image> decode(std::span<const std::byte> file, int shorter_side, Filter filter) = 0;
};

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
