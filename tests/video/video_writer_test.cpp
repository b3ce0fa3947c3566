// SPDX-License-Identifier: Apache-2.0
#include "video/video_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/paths.h"
#include "video/frame_reader.h"

namespace fovea::video {
namespace {

/// Smooth enough to survive compression: a grey that grows with `number`, its right half 64 brighter.
Image picture(int width, int height, int number) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto value = static_cast<std::uint8_t>(20 + 5 * number + (2 * x >= width ? 64 : 0));
      for (int c = 0; c < 3; ++c) image.row(y)[3 * x + c] = value;
    }
  }
  return image;
}

std::string written(const test::TemporaryFolder& folder, const std::string& name, int width, int height,
                    const std::vector<double>& times) {
  const std::string path = (folder / name).string();
  auto writer = VideoWriter::create(path, {.width = width, .height = height, .frames_per_second = 10});
  EXPECT_TRUE(writer.ok()) << writer.error().message;
  if (!writer) return path;
  for (std::size_t n = 0; n < times.size(); ++n) {
    EXPECT_TRUE(writer->stage(picture(width, height, static_cast<int>(n))).ok());
    const auto put = writer->write(times[n]);
    EXPECT_TRUE(put.ok()) << put.error().message;
  }
  const auto finished = writer->finish();
  EXPECT_TRUE(finished.ok()) << finished.error().message;
  return path;
}

class Container : public testing::TestWithParam<const char*> {};

TEST_P(Container, PicturesComeBackAtTheirTimes) {
  const test::TemporaryFolder folder;
  const std::vector<double> times{0, 0.1, 0.2, 0.5, 0.55, 0.6, 1.2, 1.3};  // a rate that varies
  const std::string path = written(folder, std::string("clip.") + GetParam(), 64, 48, times);
  auto reader = FrameReader::open(path);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  EXPECT_EQ(reader->info().width, 64);
  EXPECT_EQ(reader->info().height, 48);
  for (std::size_t n = 0; n < times.size(); ++n) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame.ok() && *frame) << n;
    EXPECT_NEAR((*frame)->seconds, times[n], 1e-3) << n;
    // Rounding in and out of 4:2:0 and what the encoder drops of a flat field.
    EXPECT_NEAR((*frame)->image.row(24)[3 * 8], 20 + 5 * static_cast<int>(n), 6) << n;
    EXPECT_NEAR((*frame)->image.row(24)[3 * 56], 84 + 5 * static_cast<int>(n), 6) << n;
  }
  const auto end = reader->next();
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end->has_value());
}

INSTANTIATE_TEST_SUITE_P(Kinds, Container, testing::Values("mp4", "webm"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(VideoWriter, OddSizesLoseTheirLastRowAndColumn) {
  const test::TemporaryFolder folder;
  auto reader = FrameReader::open(written(folder, "odd.mp4", 65, 49, {0, 0.1}));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->info().width, 64);
  EXPECT_EQ(reader->info().height, 48);
}

TEST(VideoWriter, TimesThatDoNotGrowAreMovedApart) {
  const test::TemporaryFolder folder;
  auto reader = FrameReader::open(written(folder, "still.mp4", 32, 32, {0, 0, 0}));
  ASSERT_TRUE(reader.ok());
  int frames = 0;
  while (true) {
    const auto frame = reader->next();
    ASSERT_TRUE(frame.ok());
    if (!*frame) break;
    ++frames;
  }
  EXPECT_EQ(frames, 3);
}

TEST(VideoWriter, UnfinishedLeavesNothing) {
  const test::TemporaryFolder folder;
  {
    auto writer = VideoWriter::create((folder / "clip.mp4").string(), {.width = 32, .height = 32});
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(writer->stage(picture(32, 32, 0)).ok());
    ASSERT_TRUE(writer->write(0).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(VideoWriter, RefusesWhatCannotBe) {
  const test::TemporaryFolder folder;
  const auto with = [&](const std::string& name, WriterOptions options) {
    return VideoWriter::create((folder / name).string(), options).error();
  };
  EXPECT_EQ(with("a.mp4", {.width = 32, .height = 32, .container = "avi"}).kind, Error::Kind::kUsage);
  EXPECT_EQ(with("a.mp4", {.width = 1, .height = 32}).kind, Error::Kind::kUnsupported);
  EXPECT_EQ(with("none/a.mp4", {.width = 32, .height = 32}).kind, Error::Kind::kIo);
}

TEST(VideoWriter, ASilentFilmHasNoSoundToLose) {
  const test::TemporaryFolder folder;
  const std::string silent = written(folder, "silent.mp4", 32, 32, {0, 0.1});
  auto writer = VideoWriter::create((folder / "b.mp4").string(), {.width = 32, .height = 32, .sound_from = silent});
  ASSERT_TRUE(writer.ok());
  EXPECT_FALSE(writer->no_sound().has_value()) << *writer->no_sound();
}

}  // namespace
}  // namespace fovea::video
