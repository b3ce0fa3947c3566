// Frames that stay in a video's own colours from the decoder to the encoder.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "image/yuv.h"
#include "support/paths.h"
#include "video/clips.h"
#include "video/frame_reader.h"
#include "video/turn.h"
#include "video/video_writer.h"

namespace fovea::video {
namespace {

using test::ClipOptions;
using test::TemporaryFolder;
using test::write_clip;

Frame first_frame(const std::filesystem::path& path) {
  auto reader = FrameReader::open(path.string(), {.planes = true});
  EXPECT_TRUE(reader.ok()) << reader.error().message;
  auto frame = reader->next();
  EXPECT_TRUE(frame.ok() && *frame);
  return std::move(**frame);
}

Image rgb_of(const Frame& frame) {
  if (!frame.planes) return frame.image;
  const YuvFrame& planes = *frame.planes;
  return resize(planes, planes.width, planes.height, Filter::kBilinear, {0, 0, planes.width, planes.height});
}

/// R, G, B each: rounded once to 8 bits of luma and difference (at most 0.5 of each, weighted by 1.17 and 2.14), once to RGB, and
/// whatever the library that made the clip rounds: as much again.
constexpr int kColourRounding = 4;

void expect_colour(const Image& image, int x, int y, const std::array<std::uint8_t, 3>& colour) {
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(image.row(y)[3 * static_cast<std::size_t>(x) + c], colour[c], kColourRounding) << c;
}

TEST(Planes, AreGivenOfEightBitFourTwoZeroAndNothingElse) {
  const TemporaryFolder folder;
  for (const char* format : {"yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray", "bgr0"}) {
    SCOPED_TRACE(format);
    const ClipOptions options{.pixel_format = format, .colour = {90, 90, 90}};
    write_clip(folder / "clip.mov", options);
    const Frame frame = first_frame(folder / "clip.mov");
    EXPECT_EQ(frame.planes.has_value(), std::string(format) == "yuv420p");
    EXPECT_EQ(frame.width(), 64);
    EXPECT_EQ(frame.height(), 48);
    expect_colour(rgb_of(frame), 10, 20, options.colour);
  }
}

TEST(Planes, KeepTheColoursThatTheVideoSays) {
  const TemporaryFolder folder;
  for (const auto& [space, matrix] : {std::pair{1, YuvMatrix::kBt709}, {6, YuvMatrix::kBt601}, {9, YuvMatrix::kBt2020}}) {
    SCOPED_TRACE(space);
    const ClipOptions options{.colour_space = space};
    write_clip(folder / "clip.mov", options);
    const Frame frame = first_frame(folder / "clip.mov");
    ASSERT_TRUE(frame.planes);
    EXPECT_EQ(frame.planes->matrix, matrix);
    expect_colour(rgb_of(frame), 10, 20, options.colour);
    expect_colour(rgb_of(frame), 50, 20, {0, 0, 0});
  }
}

TEST(Planes, ATurnedVideoStandsUpright) {
  struct Turn {
    int clockwise;
    std::array<int, 2> bright;  // where pixels of what was the left half are now, and of what was the right
    std::array<int, 2> black;
  };
  const TemporaryFolder folder;
  for (const Turn& turn : {Turn{90, {20, 10}, {20, 50}}, Turn{180, {50, 20}, {10, 20}}, Turn{270, {20, 50}, {20, 10}}}) {
    SCOPED_TRACE(turn.clockwise);
    const ClipOptions options{.clockwise = turn.clockwise};
    write_clip(folder / "clip.mov", options);
    const Frame frame = first_frame(folder / "clip.mov");
    EXPECT_TRUE(frame.planes);
    EXPECT_EQ(frame.width(), turn.clockwise == 180 ? 64 : 48);
    EXPECT_EQ(frame.height(), turn.clockwise == 180 ? 48 : 64);
    expect_colour(rgb_of(frame), turn.bright[0], turn.bright[1], options.colour);
    expect_colour(rgb_of(frame), turn.black[0], turn.black[1], {0, 0, 0});
  }
}

TEST(Planes, ATurnedVideoOfAnOddSizeStandsUprightToo) {
  const TemporaryFolder folder;
  const ClipOptions options{.width = 65, .height = 49, .clockwise = 90};
  write_clip(folder / "clip.mov", options);
  const Frame frame = first_frame(folder / "clip.mov");
  EXPECT_FALSE(frame.planes);
  EXPECT_EQ(frame.width(), 49);
  expect_colour(rgb_of(frame), 20, 10, options.colour);
}

TEST(Planes, PixelsThatAreNotSquareAreStretched) {
  const TemporaryFolder folder;
  for (const int clockwise : {0, 90}) {
    const auto path = folder / ("wide" + std::to_string(clockwise) + ".mov");
    write_clip(path, {.width = 64, .height = 48, .pixel_width = 2, .clockwise = clockwise});
    auto reader = FrameReader::open(path.string(), {.planes = true});
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    const int width = clockwise == 0 ? 128 : 48;
    const int height = clockwise == 0 ? 48 : 128;
    EXPECT_EQ(reader->info().width, width);
    EXPECT_EQ(reader->info().height, height);
    const auto frame = reader->next();
    ASSERT_TRUE(frame.ok() && *frame);
    EXPECT_EQ((*frame)->width(), width);
    EXPECT_EQ((*frame)->height(), height);
    ASSERT_FALSE((*frame)->planes);
    const Image& image = (*frame)->image;  // its left, or upper, half is coloured
    EXPECT_GT(image.row(8)[3 * 8], 150);
    EXPECT_LT(image.row(height - 8)[3 * (width - 8)], 60);
  }
}

/// Every pixel where it belongs, in planes whose rows are longer than the picture.
TEST(Turn, IsWhatTurningEachPixelMakes) {
  constexpr int kWidth = 70, kHeight = 38, kStride = 80;
  std::array<std::vector<std::uint8_t>, 3> memory;
  YuvFrame frame{.width = kWidth, .height = kHeight};
  for (std::size_t p = 0; p < 3; ++p) {
    for (int i = 0; i < kStride * kHeight; ++i) memory[p].push_back(static_cast<std::uint8_t>(i * 7 + i / 256));
    frame.planes[p] = memory[p].data();
    frame.strides[p] = kStride;
  }
  for (const int orientation : {3, 6, 8}) {
    ASSERT_TRUE(can_turn(frame, orientation));
    const TurnedFrame made = turned(frame, orientation);
    for (std::size_t p = 0; p < 3; ++p) {
      const int w = p == 0 ? kWidth : kWidth / 2, h = p == 0 ? kHeight : kHeight / 2;
      for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
          const int to_x = orientation == 6 ? h - 1 - y : orientation == 8 ? y : w - 1 - x;
          const int to_y = orientation == 6 ? x : orientation == 8 ? w - 1 - x : h - 1 - y;
          ASSERT_EQ(made.view.row(p, to_y)[to_x], frame.row(p, y)[x]) << orientation << ' ' << p << ' ' << x << ' ' << y;
        }
      }
    }
  }
  EXPECT_FALSE(can_turn(frame, 1));
}

TEST(Planes, OddSizesKeepTheirLastRowAndColumn) {
  const TemporaryFolder folder;
  const ClipOptions options{.width = 65, .height = 49};
  write_clip(folder / "clip.mov", options);
  const Frame frame = first_frame(folder / "clip.mov");
  ASSERT_TRUE(frame.planes);
  EXPECT_EQ(frame.width(), 65);
  EXPECT_EQ(frame.height(), 49);
  expect_colour(rgb_of(frame), 3, 48, options.colour);
}

TEST(Planes, OutliveTheReader) {
  const TemporaryFolder folder;
  write_clip(folder / "clip.mov", {});
  const Frame frame = first_frame(folder / "clip.mov");  // the reader is gone
  expect_colour(rgb_of(frame), 10, 40, ClipOptions().colour);
}

class Staging : public testing::Test {
 protected:
  VideoWriter writer(const WriterOptions& options) {
    auto made = VideoWriter::create((folder / "out.mp4").string(), options);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }
  Frame source(const ClipOptions& options) {
    write_clip(folder / "in.mkv", options);
    return first_frame(folder / "in.mkv");
  }
  TemporaryFolder folder;
};

TEST_F(Staging, AFrameInTheVideosColoursIsCopiedAsItIs) {
  const Frame frame = source({.width = 65, .height = 49});
  VideoWriter video = writer({.width = 65, .height = 49});
  const auto canvas = video.stage(*frame.planes);
  ASSERT_TRUE(canvas.ok()) << canvas.error().message;
  EXPECT_EQ(canvas->width, 64);
  EXPECT_EQ(canvas->height, 48);
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const int halves = plane == 0 ? 1 : 2;
    for (int y = 0; y < 48 / halves; ++y) {
      const std::uint8_t* from = frame.planes->row(plane, y);
      EXPECT_TRUE(std::equal(from, from + 64 / halves, canvas->row(plane, y))) << plane << ' ' << y;
    }
  }
}

TEST_F(Staging, WhatIsDrawnOnTheCanvasIsNotDrawnOnTheDecodersFrame) {
  const Frame frame = source({});
  VideoWriter video = writer({.width = 64, .height = 48});
  const std::uint8_t before = frame.planes->row(0, 0)[0];
  const auto canvas = video.stage(*frame.planes);
  ASSERT_TRUE(canvas.ok());
  canvas->row(0, 0)[0] = static_cast<std::uint8_t>(before ^ 0xFF);
  EXPECT_EQ(frame.planes->row(0, 0)[0], before);
}

/// A file may change its colours on the way.
TEST_F(Staging, AFrameInOtherColoursLooksTheSame) {
  const ClipOptions options{.colour_space = 6, .full_range = true};
  const Frame frame = source(options);
  VideoWriter video = writer({.width = 64, .height = 48});
  const auto canvas = video.stage(*frame.planes);
  ASSERT_TRUE(canvas.ok()) << canvas.error().message;
  Frame staged;
  staged.planes = YuvFrame{
      64, 48, {canvas->planes[0], canvas->planes[1], canvas->planes[2]}, canvas->strides, canvas->matrix, canvas->full_range};
  expect_colour(rgb_of(staged), 10, 20, options.colour);
}

TEST_F(Staging, TheFileSaysItsColours) {
  const ClipOptions options{.colour_space = 6, .full_range = true};
  const Frame frame = source(options);
  VideoWriter video = writer({.width = 64, .height = 48, .matrix = YuvMatrix::kBt601, .full_range = true});
  ASSERT_TRUE(video.stage(*frame.planes).ok());
  ASSERT_TRUE(video.write(0).ok());
  ASSERT_TRUE(video.finish().ok());
  const Frame read = first_frame(folder / "out.mp4");
  ASSERT_TRUE(read.planes);
  EXPECT_EQ(read.planes->matrix, YuvMatrix::kBt601);
  EXPECT_TRUE(read.planes->full_range);
  EXPECT_NEAR(rgb_of(read).row(20)[30], options.colour[0], kColourRounding + 6);  // and what the encoder drops
}

TEST_F(Staging, AnotherSizeIsRefused) {
  const Frame frame = source({.width = 32, .height = 32});
  VideoWriter video = writer({.width = 64, .height = 48});
  EXPECT_EQ(video.stage(*frame.planes).error().kind, Error::Kind::kUnsupported);
}

}  // namespace
}  // namespace fovea::video
