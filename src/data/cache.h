// Fovea: photos decoded once, kept as bytes at the resolution that training works with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "data/source.h"
#include "image/preprocess.h"

namespace fovea {

/// What is kept of each photo.
struct CachedForm {
  enum class Kind : std::uint8_t {
    kWorking,  ///< aspect kept, shorter side scaled down to `shorter_side` (never up): for random crops
    kFitted,   ///< exactly `fit_image`'s bytes: for validation and for features of a frozen backbone
  };
  Kind kind = Kind::kWorking;
  int shorter_side = 0;   ///< of kWorking
  Preprocess preprocess;  ///< of kFitted; filter also of kWorking

  /// For augmented training: the shorter side that kCrop scales to, or 1.15 of the input where nothing is cropped.
  [[nodiscard]] static CachedForm working(const Preprocess& preprocess);
  [[nodiscard]] static CachedForm fitted(const Preprocess& preprocess);
};

/// What a working copy of a photo is scaled to: never up, the longer side truncated.
struct WorkingSize {
  int width = 0;
  int height = 0;
};
[[nodiscard]] WorkingSize working_size(int width, int height, int shorter_side);

struct CacheOptions {
  enum class Where : std::uint8_t {
    kFile,    ///< a file in `folder`; what cannot be written there is decoded again, and `trouble` says why
    kMemory,  ///< this process's memory
    kOff,     ///< every load decodes (and scales)
  };
  Where where = Where::kFile;
  std::filesystem::path folder;                      ///< empty: user_cache_folder() / "photos"
  std::uint64_t max_bytes = std::uint64_t{8} << 30;  ///< of all files in `folder` together, or of memory
  FileDecoder* decoder = nullptr;                    ///< of kWorking; null: decode_image. Must outlive the cache
};

/// A source that remembers. Entries are keyed by the photo's path, size, modification time and first bytes together with the
/// form, so a changed photo is never answered with old pixels; every entry carries a checksum, and a damaged or
/// truncated file only costs the decoding of what was lost. One file per data set and form: when a new one needs
/// room, the least recently used others are removed; a full cache stops growing. A file in use by another process is
/// read but not written.
class PhotoCache final : public PhotoSource {
 public:
  struct Statistics {
    std::int64_t hits = 0;
    std::int64_t decoded = 0;
    std::uint64_t bytes = 0;  ///< kept, in file or memory
    std::string trouble;      ///< why nothing more is kept; empty while all is well
  };

  /// `dataset` names the file, nothing else. Never fails: a cache that cannot be opened decodes, and says why in `trouble`.
  static std::unique_ptr<PhotoCache> open(const std::filesystem::path& dataset, const CachedForm& form,
                                          const CacheOptions& options = {});
  ~PhotoCache() override;

  Result<Image> load(const std::filesystem::path& path) override;
  [[nodiscard]] const Preprocess* fitted() const override;
  [[nodiscard]] Statistics statistics() const;

  class Store;

 private:
  PhotoCache(const CachedForm& form, FileDecoder* decoder, std::unique_ptr<Store> store);
  Result<Image> make(const std::filesystem::path& path) const;

  CachedForm form_;
  FileDecoder* decoder_;
  std::string text_;  ///< distinct for distinct pixels
  std::unique_ptr<Store> store_;
  std::atomic<std::int64_t> hits_{0};
  std::atomic<std::int64_t> decoded_{0};
};

}  // namespace fovea
