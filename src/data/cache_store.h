// Fovea: where a PhotoCache keeps pixels. Both kinds may be used by several threads at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "data/cache.h"
#include "image/image.h"

namespace fovea {

/// 128 bits over everything that decides the pixels: the photo's identity and the form.
using CacheKey = std::array<std::uint64_t, 2>;
struct CacheKeyHash {
  std::size_t operator()(const CacheKey& key) const { return key[0]; }
};

/// What one photo is remembered by.
struct CacheEntry {
  CacheKey key{};
  std::uint64_t path = 0;  ///< hash of the path: a later entry of the same path makes an earlier one useless
};

class PhotoCache::Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;
  virtual std::optional<Image> find(const CacheKey& key) = 0;
  virtual void keep(const CacheEntry& entry, const Image& image) = 0;
  /// Bytes kept, and trouble.
  virtual void report(Statistics& statistics) const = 0;

  static std::unique_ptr<Store> in_memory(std::uint64_t max_bytes);
  /// A file named by `name` in `folder`, which is made if it is missing.
  static std::unique_ptr<Store> in_file(const std::filesystem::path& folder, std::uint64_t name, std::uint64_t max_bytes);
  /// Keeps nothing, and says why.
  static std::unique_ptr<Store> nowhere(std::string trouble);
};

}  // namespace fovea
