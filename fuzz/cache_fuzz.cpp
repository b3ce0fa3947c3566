// Fovea: any bytes as the file behind a cache of photos, as they are and with checksums that fit.
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <vector>

#include "core/hash.h"
#include "data/cache_file.h"
#include "data/cache_store.h"

namespace {

using namespace fovea;
namespace fs = std::filesystem;
using cache_file::FileHeader;
using cache_file::RecordHeader;
using Input = std::vector<std::uint8_t>;

constexpr std::uint64_t kName = 1;
constexpr std::uint64_t kMaxBytes = 1 << 20;
constexpr CacheEntry kNewEntry{{7, 7}, 7};

class Scratch {
 public:
  Scratch() : folder_(fs::temp_directory_path() / ("fovea-cache-fuzz-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code gone;
    fs::remove_all(folder_, gone);
  }
  [[nodiscard]] const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

// Makes the headers pass for intact, so that what they say is believed; gives the keys of the records that the file then has.
std::vector<CacheKey> mend(Input& file) {
  std::vector<CacheKey> keys;
  FileHeader start;
  start.name = kName;
  if (file.size() < sizeof(start)) return keys;
  std::memcpy(file.data(), &start, sizeof(start));
  RecordHeader header;
  for (std::size_t at = sizeof(start); file.size() - at >= sizeof(header);) {
    std::memcpy(&header, file.data() + at, sizeof(header));
    header.magic = cache_file::kRecordMagic;
    header.self = hash64(std::as_bytes(std::span(&header, 1)).first(offsetof(RecordHeader, self)));
    std::memcpy(file.data() + at, &header, sizeof(header));
    keys.push_back({header.key[0], header.key[1]});
    at += sizeof(header);
    const std::uint64_t pixels =
        std::uint64_t{header.width} * header.height * 3;  // wraps for the largest, as they are not believed
    if (pixels > file.size() - at) break;
    at += static_cast<std::size_t>(pixels);
  }
  return keys;
}

void look_up(PhotoCache::Store& store, const std::vector<CacheKey>& keys) {
  for (const CacheKey& key : keys) {
    const auto image = store.find(key);
    if (image && (image->width < 1 || image->height < 1 ||
                  image->pixels.size() != static_cast<std::size_t>(image->width) * static_cast<std::size_t>(image->height) * 3))
      std::abort();
  }
}

// Whatever the file holds: what is kept now is found now and by the next to open the file.
void use(const Input& file, const std::vector<CacheKey>& keys) {
  static const Scratch scratch;
  static const fs::path path = [] {
    static_cast<void>(PhotoCache::Store::in_file(scratch.folder(), kName, kMaxBytes));
    return fs::directory_iterator(scratch.folder())->path();
  }();
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  Image image(2, 3);
  image.pixels[5] = 200;
  for (int opened = 0; opened < 2; ++opened) {
    const auto store = PhotoCache::Store::in_file(scratch.folder(), kName, kMaxBytes);
    look_up(*store, keys);
    const auto before = store->find(kNewEntry.key);
    if (opened == 1 && !before) std::abort();
    if (before) continue;
    store->keep(kNewEntry, image);
    const auto after = store->find(kNewEntry.key);
    if (!after || after->pixels != image.pixels) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxBytes / 2) return 0;  // a file over the limit takes nothing more
  Input file(data, data + size);
  use(file, {});
  const std::vector<CacheKey> keys = mend(file);
  use(file, keys);
  return 0;
}
