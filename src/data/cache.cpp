// SPDX-License-Identifier: Apache-2.0
#include "data/cache.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/user_folders.h"
#include "data/cache_store.h"
#include "data/photo_files.h"
#include "image/decode.h"
#include "image/resize.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

/// Counts up whenever the same photo would give other pixels than before: then old caches are not used.
constexpr int kPixelsVersion = 1;
constexpr std::size_t kHeadBytes = 4096;
/// Shorter side of a working copy over the input's: room for random crops where the fit itself cuts nothing off.
constexpr double kWorkingMargin = 1.15;

// Distinct text for distinct forms.
std::string text_of(const CachedForm& form, const FileDecoder* decoder) {
  const Preprocess& p = form.preprocess;
  std::string scaling = fmt::format("{} {}", kPixelsVersion, name_of(p.filter));
  if (decoder != nullptr) scaling += fmt::format(" {}", decoder->name());
  if (form.kind == CachedForm::Kind::kWorking) return fmt::format("working {} {}", form.shorter_side, scaling);
  return fmt::format("fitted {}x{} {} {} {}", p.height, p.width, name_of(p.fit), p.crop_fraction, scaling);
}

std::string absolute_text(const fs::path& path) {
  std::error_code failed;
  const fs::path absolute = fs::absolute(path, failed);
  return (failed ? path : absolute).lexically_normal().string();
}

Result<CacheEntry> entry_of(const fs::path& path, const std::string& form) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail(errno == ENOENT ? Error::Kind::kNotFound : Error::Kind::kIo, "{}: cannot inspect: {}", path.string(),
                errno_text(errno));
  }
  const std::string name = absolute_text(path);
  const std::string identity =
      fmt::format("{}\n{}\n{} {}.{}\n", name, form, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec) +
      read_head(path, kHeadBytes);
  return CacheEntry{{hash64(identity, 1), hash64(identity, 2)}, hash64(name)};
}

Image scaled_down(Image photo, int shorter_side, Filter filter) {
  if (std::min(photo.width, photo.height) <= shorter_side) return photo;
  const WorkingSize size = working_size(photo.width, photo.height, shorter_side);
  return resize(photo, size.width, size.height, filter);
}

// A record's checksum says that it is whole, not that whoever wrote the file keeps to the form.
bool has_form(const Image& image, const CachedForm& form) {
  return form.kind != CachedForm::Kind::kFitted ||
         (image.height == form.preprocess.height && image.width == form.preprocess.width);
}

class Nowhere final : public PhotoCache::Store {
 public:
  explicit Nowhere(std::string trouble) : trouble_(std::move(trouble)) {}
  std::optional<Image> find(const CacheKey&) override { return std::nullopt; }
  void keep(const CacheEntry&, const Image&) override {}
  void report(PhotoCache::Statistics& statistics) const override { statistics.trouble = trouble_; }

 private:
  std::string trouble_;
};

class Memory final : public PhotoCache::Store {
 public:
  explicit Memory(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}
  std::optional<Image> find(const CacheKey& key) override {
    const std::lock_guard lock(mutex_);
    const auto entry = images_.find(key);
    return entry == images_.end() ? std::nullopt : std::optional(entry->second);
  }
  void keep(const CacheEntry& entry, const Image& image) override {
    const std::lock_guard lock(mutex_);
    if (bytes_ + image.pixels.size() > max_bytes_) {
      full_ = true;
    } else if (images_.emplace(entry.key, image).second) {
      bytes_ += image.pixels.size();
    }
  }
  void report(PhotoCache::Statistics& statistics) const override {
    const std::lock_guard lock(mutex_);
    statistics.bytes = bytes_;
    if (full_) statistics.trouble = fmt::format("the cache in memory is full ({} bytes)", max_bytes_);
  }

 private:
  const std::uint64_t max_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<CacheKey, Image, CacheKeyHash> images_;
  std::uint64_t bytes_ = 0;
  bool full_ = false;
};

std::unique_ptr<PhotoCache::Store> store_for(const fs::path& dataset, const std::string& form, const CacheOptions& options) {
  using Where = CacheOptions::Where;
  if (options.where == Where::kOff) return PhotoCache::Store::nowhere("");
  if (options.where == Where::kMemory) return PhotoCache::Store::in_memory(options.max_bytes);
  fs::path folder = options.folder;
  if (folder.empty()) {
    const auto user = user_cache_folder();
    if (!user) return PhotoCache::Store::nowhere(user.error().message);
    folder = *user / "photos";
  }
  return PhotoCache::Store::in_file(folder, hash64(absolute_text(dataset) + '\n' + form), options.max_bytes);
}

}  // namespace

// The longer side truncated, as fit_image does, so that fitting the copy gives the bytes that fitting the photo gives.
WorkingSize working_size(int width, int height, int shorter_side) {
  const int shorter = std::min(width, height);
  if (shorter <= shorter_side) return {width, height};
  const auto scaled = [&](int side) {
    return std::max(shorter_side, static_cast<int>(static_cast<double>(std::int64_t{shorter_side} * side) / shorter));
  };
  return {scaled(width), scaled(height)};
}

CachedForm CachedForm::working(const Preprocess& preprocess) {
  const int side = std::max(preprocess.height, preprocess.width);
  CachedForm form;
  form.preprocess = preprocess;
  form.shorter_side =
      preprocess.fit == Fit::kCrop ? fovea::shorter_side_needed(preprocess) : static_cast<int>(std::ceil(kWorkingMargin * side));
  return form;
}

CachedForm CachedForm::fitted(const Preprocess& preprocess) { return {Kind::kFitted, 0, preprocess}; }

std::unique_ptr<PhotoCache::Store> PhotoCache::Store::in_memory(std::uint64_t max_bytes) {
  return std::make_unique<Memory>(max_bytes);
}
std::unique_ptr<PhotoCache::Store> PhotoCache::Store::nowhere(std::string trouble) {
  return std::make_unique<Nowhere>(std::move(trouble));
}

std::unique_ptr<PhotoCache> PhotoCache::open(const fs::path& dataset, const CachedForm& form, const CacheOptions& options) {
  FileDecoder* const decoder = form.kind == CachedForm::Kind::kWorking ? options.decoder : nullptr;
  return std::unique_ptr<PhotoCache>(new PhotoCache(form, decoder, store_for(dataset, text_of(form, decoder), options)));
}

PhotoCache::PhotoCache(const CachedForm& form, FileDecoder* decoder, std::unique_ptr<Store> store)
    : form_(form), decoder_(decoder), text_(text_of(form, decoder)), store_(std::move(store)) {}
PhotoCache::~PhotoCache() = default;

const Preprocess* PhotoCache::fitted() const { return form_.kind == CachedForm::Kind::kFitted ? &form_.preprocess : nullptr; }

Result<Image> PhotoCache::load(const fs::path& path) {
  FOVEA_ASSIGN(const CacheEntry entry, entry_of(path, text_));
  if (auto kept = store_->find(entry.key); kept && has_form(*kept, form_)) {
    ++hits_;
    return std::move(*kept);
  }
  FOVEA_ASSIGN(Image photo, make(path));
  ++decoded_;
  store_->keep(entry, photo);
  return photo;
}

Result<Image> PhotoCache::make(const fs::path& path) const {
  if (form_.kind == CachedForm::Kind::kFitted) {
    FOVEA_ASSIGN(const Image photo, load_image(path, {.shorter_side_needed = shorter_side_needed(form_.preprocess)}));
    return fit_image(photo, form_.preprocess);
  }
  const Filter filter = form_.preprocess.filter;
  if (decoder_ == nullptr) {
    FOVEA_ASSIGN(Image photo, load_image(path, {.shorter_side_needed = form_.shorter_side}));
    return scaled_down(std::move(photo), form_.shorter_side, filter);
  }
  FOVEA_ASSIGN(const std::vector<std::byte> bytes, read_file(path, DecodeOptions().max_bytes));
  auto photo = decoder_->decode(bytes, form_.shorter_side, filter);
  if (!photo) return fail(photo.error().kind, "{}: {}", path.string(), photo.error().message);
  return scaled_down(std::move(*photo), form_.shorter_side, filter);
}

PhotoCache::Statistics PhotoCache::statistics() const {
  Statistics statistics;
  statistics.hits = hits_;
  statistics.decoded = decoded_;
  store_->report(statistics);
  return statistics;
}

}  // namespace fovea
