// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "core/file.h"
#include "image/decode.h"
#include "render.h"
#include "support/paths.h"

namespace skies {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 80;
constexpr int kHeight = 60;

TEST(Skies, EveryPictureHasTheCoverOfItsLabel) {
  for (const Label label : kLabels) {
    for (std::uint32_t item = 0; item < 12; ++item) {
      const auto picture = paint(label, kWidth, kHeight, 7, item);
      ASSERT_TRUE(picture) << picture.error().message;
      EXPECT_EQ(picture->image.width, kWidth);
      EXPECT_EQ(picture->image.height, kHeight);
      // The scene was chosen by an estimate from 48 x 48 places; labels lie further apart than twice this.
      constexpr float kEstimate = 0.05F;
      const CoverRange range = cover_range(label);
      EXPECT_GE(picture->cover, range.low - kEstimate) << name_of(label) << ' ' << item;
      EXPECT_LE(picture->cover, range.high + kEstimate) << name_of(label) << ' ' << item;
    }
  }
}

TEST(Skies, ScenesDifferByItemAndSeed) {
  std::set<std::vector<std::uint8_t>> pictures;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (std::uint32_t item = 0; item < 4; ++item)
      pictures.insert(paint(Label::kClear, kWidth, kHeight, seed, item)->image.pixels);
  }
  EXPECT_EQ(pictures.size(), 12U);
}

TEST(Skies, TheTimelapseClosesTheSky) {
  constexpr int kFrames = 9;
  float before = 0;
  for (int i = 0; i < kFrames; ++i) {
    const float cover = render(timelapse_scene(kWidth, kHeight, 3, i, kFrames)).cover;
    // Wind alone may open the sky a little between two frames: a fifth of what the whole sequence closes it by per frame.
    EXPECT_GE(cover, before - 0.2F / kFrames) << "frame " << i;
    if (i == 0) {
      EXPECT_TRUE(cover_range(Label::kClear).holds(cover)) << cover;
    } else if (i == kFrames / 2) {
      EXPECT_TRUE(cover_range(Label::kSemiClear).holds(cover)) << cover;
    } else if (i == kFrames - 1) {
      EXPECT_TRUE(cover_range(Label::kCloudy).holds(cover)) << cover;
    }
    before = cover;
  }
}

std::string bytes_of(const fs::path& path) {
  const auto bytes = fovea::read_file(path, 1 << 20);
  return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : std::string();
}

int run(const std::string& arguments) {
  const auto program = fovea::test::program().parent_path() / "fovea-skies";
  return std::system((program.string() + ' ' + arguments + " 2>/dev/null").c_str());
}

TEST(SkiesProgram, PaintsTheSameFilesWithAnyNumberOfThreads) {
  const fovea::test::TemporaryFolder folder;
  const std::string options = " --count 7 --size 64x48 --seed 5 --threads ";
  ASSERT_EQ(run((folder / "one").string() + options + "1"), 0);
  ASSERT_EQ(run((folder / "three").string() + options + "3"), 0);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "one")) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string bytes = bytes_of(entry.path());
    EXPECT_FALSE(bytes.empty());
    EXPECT_EQ(bytes, bytes_of(folder / "three" / fs::relative(entry.path(), folder / "one"))) << entry.path();
    const auto image = fovea::load_image(entry.path());
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->width, 64);
    EXPECT_EQ(image->height, 48);
  }
  EXPECT_EQ(files, 7);
  EXPECT_TRUE(fs::exists(folder / "one" / "semi-clear" / "00001.jpg"));
}

TEST(SkiesProgram, NumbersTheFramesOfATimelapse) {
  const fovea::test::TemporaryFolder folder;
  ASSERT_EQ(run(folder.path().string() + " --timelapse 2 --size 64x48"), 0);
  EXPECT_TRUE(fs::exists(folder / "frame-0001.jpg"));
  EXPECT_TRUE(fs::exists(folder / "frame-0002.jpg"));
}

TEST(SkiesProgram, RefusesASizeThatIsNone) {
  const fovea::test::TemporaryFolder folder;
  for (const char* size : {"0x0", "64", "64x48x3", "1000000x1000000", "ax b"}) {
    EXPECT_NE(run(folder.path().string() + " --count 1 --size '" + size + "'"), 0) << size;
  }
}

}  // namespace
}  // namespace skies
