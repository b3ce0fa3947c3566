// SPDX-License-Identifier: Apache-2.0
#include "scale/corrections.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/context.h"
#include "data/dataset.h"
#include "image/encode.h"
#include "support/paths.h"

namespace fovea::checkout {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::TemporaryFolder;

constexpr std::chrono::sys_time<std::chrono::milliseconds> kStart{1'790'000'000'000ms};

ScaleChoice choice_of(std::int64_t id, std::string label, bool corrected) {
  ScaleChoice choice;
  choice.time = kStart + id * 1min;
  choice.id = id;
  choice.label = std::move(label);
  choice.corrected = corrected;
  choice.answers = {{"Lime", 0.8}, {"Lemon", 0.1}};
  return choice;
}

std::vector<std::byte> photo_of(std::size_t bytes) { return std::vector<std::byte>(bytes, std::byte{7}); }

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::ranges::count_if(
      fs::recursive_directory_iterator(folder), [](const fs::directory_entry& entry) { return entry.is_regular_file(); }));
}

TEST(Corrections, AreClassFoldersThatTrainingReads) {
  const TemporaryFolder folder;
  auto corrections = Corrections::open(folder / "new", 1'000'000);
  ASSERT_TRUE(corrections.ok());
  Image image(40, 30);
  for (int id = 1; id <= 4; ++id) {
    std::ranges::fill(image.pixels, static_cast<std::uint8_t>(40 * id));
    ASSERT_TRUE(corrections->keep(choice_of(id, id % 2 == 0 ? "Lime" : "Dragon fruit", true), encode_jpeg(image, 95)).ok());
    ASSERT_TRUE(corrections->note(choice_of(id, "Lime", true)).ok());
  }
  const auto data = scan_dataset(folder / "new", {.strict = true});  // nothing in it is to be passed over
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->classes, (std::vector<std::string>{"Dragon fruit", "Lime"}));
  EXPECT_EQ(data->train.size(), 4U);
  std::ifstream log(folder / "new.jsonl");
  int lines = 0;
  for (std::string line; std::getline(log, line);) ++lines;
  EXPECT_EQ(lines, 4);
}

TEST(Corrections, OnePhotoOfAnItem) {
  const TemporaryFolder folder;
  auto corrections = Corrections::open(folder / "new", 1'000'000);
  const auto first = corrections->keep(choice_of(1, "Lemon", true), photo_of(1000));
  const auto second = corrections->keep(choice_of(1, "Lime", false), photo_of(1000));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_FALSE(fs::exists(*first));
  EXPECT_TRUE(fs::exists(*second));
  EXPECT_EQ(corrections->bytes(), 1000);
  ASSERT_TRUE(corrections->keep(choice_of(2, "Lime", false), photo_of(1000)).ok());
  EXPECT_EQ(files_in(folder / "new"), 2U);
}

TEST(Corrections, ConfirmedOnesAreFew) {
  const TemporaryFolder folder;
  auto corrections = Corrections::open(folder / "new", 1'000'000);
  EXPECT_TRUE(corrections->wants_confirmed("Lime", kStart));
  ASSERT_TRUE(corrections->keep(choice_of(1, "Lime", false), photo_of(10)).ok());
  EXPECT_FALSE(corrections->wants_confirmed("Lime", kStart + 5min));
  EXPECT_TRUE(corrections->wants_confirmed("Lemon", kStart + 5min));
  EXPECT_TRUE(corrections->wants_confirmed("Lime", kStart + 11min));
  EXPECT_TRUE(corrections->wants_confirmed("Lime", kStart - 24h));  // the clock was set back
}

TEST(Corrections, TheCeilingCostsConfirmedPhotosAndNeverCorrectedOnes) {
  const TemporaryFolder folder;
  for (const bool again : {false, true}) {  // the second time over what already lies there
    auto corrections = Corrections::open(folder / "new", 3500);
    ASSERT_TRUE(corrections.ok());
    if (again) {
      EXPECT_EQ(corrections->bytes(), 3000);
      EXPECT_EQ(corrections->keep(choice_of(9, "Lime", true), photo_of(1000)).error().kind, Error::Kind::kLimit);
      break;
    }
    ASSERT_TRUE(corrections->keep(choice_of(1, "Lime", false), photo_of(1000)).ok());
    ASSERT_TRUE(corrections->keep(choice_of(2, "Lemon", true), photo_of(1000)).ok());
    ASSERT_TRUE(corrections->keep(choice_of(3, "Lime", true), photo_of(1000)).ok());
    const auto fourth = corrections->keep(choice_of(4, "Lime", true), photo_of(1000));
    ASSERT_TRUE(fourth.ok()) << fourth.error().message;
    EXPECT_EQ(corrections->bytes(), 3000);
    EXPECT_EQ(files_in(folder / "new"), 3U);
  }
}

TEST(Corrections, AFolderThatCannotBeWrittenIsAnErrorThatPasses) {
  const TemporaryFolder folder;
  auto corrections = Corrections::open(folder / "new", 1'000'000);
  std::ofstream(folder / "new/Lime") << "a file where the folder should be";
  EXPECT_FALSE(corrections->keep(choice_of(1, "Lime", true), photo_of(10)).ok());
  fs::remove(folder / "new/Lime");
  EXPECT_TRUE(corrections->keep(choice_of(1, "Lime", true), photo_of(10)).ok());
}

TEST(FolderOf, TakesNamesAndNothingThatLeadsElsewhere) {
  EXPECT_EQ(folder_of(" Dragon fruit ").value(), "Dragon fruit");
  EXPECT_EQ(folder_of("Äpfel").value(), "Äpfel");
  for (const char* bad : {"", "  ", ".", "..", "../x", "a/b", "a\\b", ".hidden", "train", "Val", "a\nb", "\xFF\xFE"}) {
    EXPECT_EQ(folder_of(bad).error().kind, Error::Kind::kUsage) << bad;
  }
  EXPECT_FALSE(folder_of(std::string(81, 'a')).ok());
  EXPECT_FALSE(folder_of(std::string("a\0b", 3)).ok());
}

}  // namespace
}  // namespace fovea::checkout
