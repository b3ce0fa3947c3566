// SPDX-License-Identifier: Apache-2.0
#include "data/cache.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <span>
#include <thread>
#include <vector>

#include "core/hash.h"
#include "data/cache_file.h"
#include "data/photos.h"
#include "image/decode.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kPhotos = 6;

Preprocess small_input() {
  Preprocess preprocess;
  preprocess.height = preprocess.width = 28;
  preprocess.fit = Fit::kCrop;
  return preprocess;
}

class Cache : public testing::Test {
 protected:
  Cache() {
    for (int i = 0; i < kPhotos; ++i) test::photo_file(photo(i), test::random_photo(90 + i, 70, static_cast<std::uint64_t>(i)));
    options_.folder = folder_ / "cache";
  }
  [[nodiscard]] fs::path photo(int i) const { return folder_ / ("data/" + std::to_string(i) + ".png"); }
  [[nodiscard]] std::unique_ptr<PhotoCache> open(const CachedForm& form = CachedForm::fitted(small_input()),
                                                 std::string_view name = "data") const {
    return PhotoCache::open(folder_ / name, form, options_);
  }
  // Loads every photo and compares it with what decoding gives.
  void expect_right(PhotoCache& cache, std::int64_t hits) const {
    const auto before = cache.statistics();
    for (int i = 0; i < kPhotos; ++i) {
      const auto image = cache.load(photo(i));
      ASSERT_TRUE(image.ok()) << image.error().message;
      EXPECT_EQ(fit_image(*image, small_input()).pixels.size(), 28U * 28 * 3);
      const Image expected = fit_image(*load_image(photo(i)), small_input());
      EXPECT_EQ(cache.fitted() != nullptr ? image->pixels : fit_image(*image, small_input()).pixels, expected.pixels) << i;
    }
    EXPECT_EQ(cache.statistics().hits - before.hits, hits);
    EXPECT_EQ(cache.statistics().decoded - before.decoded, kPhotos - hits);
  }
  [[nodiscard]] fs::path only_file() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(options_.folder)) files.push_back(entry.path());
    EXPECT_EQ(files.size(), 1U);
    return files.at(0);
  }

  test::TemporaryFolder folder_;
  CacheOptions options_;
};

TEST_F(Cache, DecodesOnceAndRemembersAcrossRuns) {
  for (const CachedForm& form : {CachedForm::fitted(small_input()), CachedForm::working(small_input())}) {
    const auto first = open(form);
    expect_right(*first, 0);
    expect_right(*first, kPhotos);
    EXPECT_THAT(first->statistics().trouble, IsEmpty());
  }
  expect_right(*open(), kPhotos);
  expect_right(*open(CachedForm::working(small_input())), kPhotos);
}

TEST_F(Cache, AnotherFormIsAnotherEntry) {
  expect_right(*open(), 0);
  Preprocess other = small_input();
  other.fit = Fit::kSquash;
  const auto image = open(CachedForm::fitted(other))->load(photo(0));
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->pixels, fit_image(*load_image(photo(0)), other).pixels);
}

TEST_F(Cache, AChangedPhotoIsDecodedAnew) {
  const auto cache = open();
  expect_right(*cache, 0);
  const auto time = fs::last_write_time(photo(2));
  // The same size and time, other bytes: told by the first bytes.
  const auto size = fs::file_size(photo(2));
  test::photo_file(photo(2), test::random_photo(92, 70, 77));
  fs::resize_file(photo(2), std::max(size, fs::file_size(photo(2))));
  fs::last_write_time(photo(2), time);
  expect_right(*cache, kPhotos - 1);
  // The same bytes at another time count as another photo, too.
  fs::last_write_time(photo(3), time + std::chrono::hours(1));
  expect_right(*cache, kPhotos - 1);
}

TEST_F(Cache, DamageOnlyCostsWhatWasDamaged) {
  expect_right(*open(), 0);
  const fs::path file = only_file();
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(16 + 56 + 100);  // file header, record header, into the pixels of the first
    stream.put('\x55').put('\xAA').put('\x33');
  }
  expect_right(*open(), kPhotos - 1);
  expect_right(*open(), kPhotos);
}

// Of as many pixels, and with checksums that fit: it would be handed out for a picture of the form.
TEST_F(Cache, ARecordOfAnotherShapeIsNotTrusted) {
  expect_right(*open(), 0);
  std::fstream stream(only_file(), std::ios::in | std::ios::out | std::ios::binary);
  cache_file::RecordHeader header;
  stream.seekg(sizeof(cache_file::FileHeader));
  stream.read(reinterpret_cast<char*>(&header), sizeof(header));
  ASSERT_EQ(header.width, 28U);
  header.width = 14;
  header.height = 56;
  header.self = hash64(std::as_bytes(std::span(&header, 1)).first(offsetof(cache_file::RecordHeader, self)));
  stream.seekp(sizeof(cache_file::FileHeader));
  stream.write(reinterpret_cast<const char*>(&header), sizeof(header)).flush();
  expect_right(*open(), kPhotos - 1);
}

TEST_F(Cache, SurvivesATruncatedFileAtAnyLength) {
  expect_right(*open(), 0);
  const fs::path file = only_file();
  const std::uint64_t whole = fs::file_size(file);
  const std::uint64_t record = (whole - 16) / kPhotos;
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{7}, 16 + record / 2, 16 + 2 * record, 16 + 2 * record + 20, whole - 1}) {
    fs::resize_file(file, size);
    const std::int64_t left = size < 16 ? 0 : static_cast<std::int64_t>((size - 16) / record);
    expect_right(*open(), left);
    EXPECT_EQ(fs::file_size(file), whole);
  }
}

TEST_F(Cache, SurvivesBeingCutShortWhileInUse) {
  const auto cache = open();
  expect_right(*cache, 0);
  fs::resize_file(only_file(), 100);
  expect_right(*cache, 0);
}

TEST_F(Cache, ForeignFilesAreNotTrusted) {
  expect_right(*open(), 0);
  const fs::path file = only_file();
  test::text_file(file, std::string(5000, 'x'));
  expect_right(*open(), 0);
  expect_right(*open(), kPhotos);
}

TEST_F(Cache, DropsAFileThatIsMostlyUseless) {
  for (int round = 0; round < 6; ++round) {
    const auto cache = open();
    for (int i = 0; i < kPhotos; ++i) {
      fs::last_write_time(photo(i), fs::file_time_type::clock::now() + std::chrono::seconds(round * 10 + 1));
      ASSERT_TRUE(cache->load(photo(i)).ok());
    }
  }
  EXPECT_LE(fs::file_size(only_file()), 3 * (16 + kPhotos * (56 + 28 * 28 * 3)));
}

TEST_F(Cache, StopsGrowingAtItsLimit) {
  options_.max_bytes = 16 + 3 * (56 + 28 * 28 * 3) + 10;
  const auto cache = open();
  expect_right(*cache, 0);
  EXPECT_THAT(cache->statistics().trouble, HasSubstr("the cache is full"));
  expect_right(*cache, 3);
  EXPECT_LE(fs::file_size(only_file()), options_.max_bytes);
}

TEST_F(Cache, RemovesTheLeastRecentlyUsedOthers) {
  expect_right(*open(CachedForm::fitted(small_input()), "old"), 0);
  expect_right(*open(CachedForm::fitted(small_input()), "older but used again"), 0);
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  expect_right(*open(CachedForm::fitted(small_input()), "older but used again"), kPhotos);
  options_.max_bytes = 2 * (16 + kPhotos * (56 + 28 * 28 * 3));
  expect_right(*open(CachedForm::fitted(small_input()), "new"), 0);
  expect_right(*open(CachedForm::fitted(small_input()), "older but used again"), kPhotos);
  expect_right(*open(CachedForm::fitted(small_input()), "new"), kPhotos);
}

TEST_F(Cache, ASecondUserReadsAndDoesNotWrite) {
  const auto first = open();
  ASSERT_TRUE(first->load(photo(0)).ok());
  const auto second = open();
  expect_right(*second, 1);
  EXPECT_THAT(second->statistics().trouble, HasSubstr("in use by another process"));
  expect_right(*first, 1);
}

TEST_F(Cache, DecodesWhereItCannotWrite) {
  test::text_file(folder_ / "file", "");
  options_.folder = folder_ / "file/cache";
  const auto cache = open();
  expect_right(*cache, 0);
  expect_right(*cache, 0);
  EXPECT_THAT(cache->statistics().trouble, HasSubstr("cannot make the cache folder"));
}

TEST_F(Cache, InMemoryWithinItsLimit) {
  options_.where = CacheOptions::Where::kMemory;
  options_.max_bytes = 4 * 28 * 28 * 3;
  const auto cache = open();
  expect_right(*cache, 0);
  expect_right(*cache, 4);
  EXPECT_EQ(cache->statistics().bytes, options_.max_bytes);
  EXPECT_FALSE(fs::exists(options_.folder));
}

TEST_F(Cache, OffDecodesEveryTime) {
  options_.where = CacheOptions::Where::kOff;
  const auto cache = open();
  expect_right(*cache, 0);
  expect_right(*cache, 0);
}

TEST_F(Cache, UnreadablePhotosAreErrorsThatNameThem) {
  const auto cache = open();
  test::text_file(photo(0), "not a photo");
  EXPECT_THAT(cache->load(photo(0)).error().message, HasSubstr("0.png"));
  EXPECT_EQ(cache->load(folder_ / "gone.jpg").error().kind, Error::Kind::kNotFound);
}

TEST_F(Cache, ManyThreadsAtOnce) {
  const auto cache = open(CachedForm::working(small_input()));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 3 * kPhotos; ++i) EXPECT_TRUE(cache->load(photo(i % kPhotos)).ok());
    });
  }
  threads.clear();
  expect_right(*cache, kPhotos);
  expect_right(*cache, kPhotos);
}

TEST_F(Cache, AWorkingCopyIsFittedLikeThePhotoItself) {
  for (const auto& [width, height] : {std::pair{301, 200}, {200, 301}, {64, 64}, {33, 90}, {20, 500}}) {
    test::photo_file(folder_ / "one.png", test::random_photo(width, height, 5));
    fs::last_write_time(folder_ / "one.png", fs::file_time_type::clock::now() + std::chrono::seconds(width));
    const auto copy = open(CachedForm::working(small_input()))->load(folder_ / "one.png");
    ASSERT_TRUE(copy.ok());
    EXPECT_LE(std::min(copy->width, copy->height), 32);
    EXPECT_EQ(fit_image(*copy, small_input()).pixels, fit_image(*load_image(folder_ / "one.png"), small_input()).pixels);
  }
}

}  // namespace
}  // namespace fovea
