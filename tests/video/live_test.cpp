// SPDX-License-Identifier: Apache-2.0
#include "video/live.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <thread>

#include "core/error.h"
#include "image/encode.h"
#include "support/paths.h"
#include "video/jpeg_splitter.h"

namespace fovea::video {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;
using Bytes = std::vector<std::byte>;

Image flat(std::uint8_t level, int width = 48, int height = 32) {
  Image image(width, height);
  std::ranges::fill(image.pixels, level);
  return image;
}

Bytes jpeg(std::uint8_t level) { return encode_jpeg(flat(level), 90); }

void write(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// `outer` with `inner` as the preview in its metadata.
Bytes with_preview(const Bytes& outer, const Bytes& inner) {
  Bytes bytes(outer.begin(), outer.begin() + 2);
  const std::size_t length = inner.size() + 2;
  for (const unsigned value : {0xFFU, 0xE1U, static_cast<unsigned>(length >> 8), static_cast<unsigned>(length & 0xFF)}) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  bytes.insert(bytes.end(), inner.begin(), inner.end());
  bytes.insert(bytes.end(), outer.begin() + 2, outer.end());
  return bytes;
}

TEST(JpegSplitter, FindsEveryPictureHoweverTheBytesCome) {
  const std::vector<Bytes> pictures = {jpeg(10), with_preview(jpeg(90), jpeg(200)), jpeg(160)};
  Bytes all = {std::byte{0}, std::byte{0xFF}, std::byte{0xD8}};  // the end of something else
  for (const Bytes& picture : pictures) {
    all.insert(all.end(), picture.begin(), picture.end());
    all.push_back(std::byte{'\n'});
  }
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, all.size()}) {
    JpegSplitter splitter;
    std::vector<Bytes> found;
    for (std::size_t i = 0; i < all.size(); i += step) {
      splitter.add(std::span(all).subspan(i, std::min(step, all.size() - i)));
      for (auto next = splitter.next(); next && *next; next = splitter.next()) found.push_back(**next);
    }
    EXPECT_TRUE(found == pictures) << step << ": " << found.size();
  }
}

TEST(JpegSplitter, GivesUpOnWhatDoesNotEnd) {
  JpegSplitter splitter;
  const Bytes start = {std::byte{0xFF}, std::byte{0xD8}, std::byte{0xFF}};
  splitter.add(start);
  splitter.add(Bytes(JpegSplitter::kMostBytes));
  const auto next = splitter.next();
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().kind, Error::Kind::kLimit);
  splitter.add(jpeg(3));
  EXPECT_TRUE(splitter.next()->has_value());
}

TEST(CommandStream, ReadsPictureAfterPictureAndStartsAgain) {
  const TemporaryFolder folder;
  write(folder / "a.jpg", jpeg(40));
  write(folder / "b.jpg", jpeg(180));
  const auto stream = command_stream("cat " + (folder / "a.jpg").string() + " " + (folder / "b.jpg").string());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ((**stream->next()).pixels[0], 40);
    EXPECT_EQ((**stream->next()).pixels[0], 180);
  }
}

TEST(CommandStream, SaysWhyThereIsNoPicture) {
  EXPECT_NE(command_stream("exit 3")->next().error().message.find("status 3"), std::string::npos);
  EXPECT_NE(command_stream("echo hello")->next().error().message.find("no JPEG"), std::string::npos);
  const TemporaryFolder folder;
  Bytes half = jpeg(40);
  half.erase(half.begin() + 100, half.end() - 2);
  write(folder / "half.jpg", half);
  const auto stream = command_stream("cat " + (folder / "half.jpg").string());
  EXPECT_FALSE(stream->next().ok());
}

TEST(PhotoStream, ShowsEachPhotoForAWhileAndEnds) {
  const TemporaryFolder folder;
  write(folder / "a.jpg", jpeg(40));
  write(folder / "b.jpg", jpeg(180));
  const auto stream = photo_stream({folder / "a.jpg", folder / "gone.jpg", folder / "b.jpg"}, 150ms, false);
  std::vector<int> seen;
  int faults = 0;
  while (true) {
    const auto picture = stream->next();
    if (!picture) ++faults;
    if (picture && !*picture) break;
    if (picture) seen.push_back((*picture)->pixels[0]);
  }
  EXPECT_EQ(faults, 1);
  EXPECT_GE(std::ranges::count(seen, 40), 2);
  EXPECT_GE(std::ranges::count(seen, 180), 2);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
}

/// Gives numbered pictures as fast as it can; or hangs.
class FakeStream final : public Stream {
 public:
  explicit FakeStream(std::shared_future<void> hang = {}) : hang_(std::move(hang)) {}
  Result<std::optional<Image>> next() override {
    if (hang_.valid()) hang_.wait();
    if (++count_ == 3) return fail(Error::Kind::kIo, "unplugged");
    if (count_ > 200) return std::optional<Image>();
    std::this_thread::sleep_for(1ms);
    return std::optional(flat(static_cast<std::uint8_t>(count_)));
  }

 private:
  std::shared_future<void> hang_;
  int count_ = 0;
};

TEST(LatestPicture, ASlowLookerSeesTheNewestOnly) {
  LatestPicture latest(std::make_unique<FakeStream>());
  int before = 0;
  int taken = 0;
  int faults = 0;
  while (true) {
    const LatestPicture::News news = latest.take(5s);
    faults += news.fault ? 1 : 0;
    if (news.picture) {
      EXPECT_GT(news.picture->pixels[0], before);
      before = news.picture->pixels[0];
      ++taken;
      std::this_thread::sleep_for(20ms);
    }
    if (news.ended && !news.picture) break;
  }
  EXPECT_EQ(before, 200);
  EXPECT_LT(taken, 100);
  EXPECT_EQ(faults, 1);
}

TEST(LatestPicture, AStreamThatHangsHoldsNobodyUp) {
  std::promise<void> free;
  const auto start = std::chrono::steady_clock::now();
  {
    LatestPicture latest(std::make_unique<FakeStream>(free.get_future().share()));
    EXPECT_FALSE(latest.take(10ms).picture);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  free.set_value();
}

}  // namespace
}  // namespace fovea::video
