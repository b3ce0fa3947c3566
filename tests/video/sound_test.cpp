// The sound of a video, copied into another.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "support/paths.h"
#include "video/clips.h"
#include "video/video_writer.h"

namespace fovea::video {
namespace {

using test::ClipOptions;
using test::sound_of;
using test::SoundPacket;

/// The sound of a file of 20 pictures that took its sound from `clip`.
std::vector<SoundPacket> copied(const test::TemporaryFolder& folder, const ClipOptions& clip, const std::string& container,
                                bool all_sound = true) {
  test::write_clip(folder / "in.mov", clip);
  const std::filesystem::path path = folder / ("out." + container);
  auto writer = VideoWriter::create(
      path.string(), {.width = 64, .height = 48, .frames_per_second = 10, .sound_from = (folder / "in.mov").string()});
  EXPECT_TRUE(writer.ok()) << writer.error().message;
  EXPECT_FALSE(writer->no_sound().has_value()) << *writer->no_sound();
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(writer->stage(Image(64, 48)).ok());
    EXPECT_TRUE(writer->write(0.1 * i).ok());
  }
  const auto finished = writer->finish(all_sound);
  EXPECT_TRUE(finished.ok()) << finished.error().message;
  return sound_of(path);
}

/// What copied() must give: the packets that do not begin before the pictures.
std::vector<SoundPacket> expected(const test::TemporaryFolder& folder) {
  std::vector<SoundPacket> packets = sound_of(folder / "in.mov");
  std::erase_if(packets, [](const SoundPacket& packet) { return packet.seconds < 0; });
  return packets;
}

/// Clocks tick 44100 times a second in the sound's track, and 90000 times where the file says when the track begins.
constexpr double kTick = 1.0 / 44100 + 1.0 / 90000;

void expect_same(const std::vector<SoundPacket>& now, const std::vector<SoundPacket>& then) {
  ASSERT_EQ(now.size(), then.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    EXPECT_EQ(now[i].bytes, then[i].bytes) << i;
    EXPECT_NEAR(now[i].seconds, then[i].seconds, kTick) << i;
  }
}

class Offset : public testing::TestWithParam<double> {};

TEST_P(Offset, EveryPacketComesOutBitForBitAndInTime) {
  const test::TemporaryFolder folder;
  const auto now = copied(folder, {.frames = 20, .sound_seconds = 2, .sound_begins = GetParam()}, "mp4");
  EXPECT_GT(now.size(), 60U);  // 2 s of 1024 samples each are 86, less what begins before the pictures
  expect_same(now, expected(folder));
}

INSTANTIATE_TEST_SUITE_P(Begins, Offset, testing::Values(0.0, 0.3, -0.5));

TEST(SoundCopy, OfASmallerPartOfTheVideoEndsWithThePictures) {
  const test::TemporaryFolder folder;
  const auto now = copied(folder, {.frames = 60, .sound_seconds = 6}, "mp4", false);
  ASSERT_FALSE(now.empty());
  EXPECT_NEAR(now.back().seconds, 2.0, 1024.0 / 44100 + kTick);  // the last picture ends after 2 s
  auto then = expected(folder);
  ASSERT_GT(then.size(), now.size());
  then.resize(now.size());
  expect_same(now, then);
}

TEST(SoundCopy, WhatAContainerDoesNotTakeIsSaid) {
  const test::TemporaryFolder folder;
  test::write_clip(folder / "in.mov", {.sound_seconds = 0.5});
  auto writer = VideoWriter::create((folder / "out.webm").string(),
                                    {.width = 64, .height = 48, .sound_from = (folder / "in.mov").string()});
  ASSERT_TRUE(writer.ok()) << writer.error().message;
  ASSERT_TRUE(writer->no_sound().has_value());
  EXPECT_NE(writer->no_sound()->find("aac does not go into webm"), std::string::npos) << *writer->no_sound();
}

}  // namespace
}  // namespace fovea::video
