// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "core/file.h"
#include "data/dataset.h"
#include "data/photos.h"
#include "image/encode.h"
#include "image/resize.h"

namespace fovea {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// `count` different photos of a class, numbered from `first`.
void add_class(const test::TemporaryFolder& root, const std::string& name, int count, std::uint64_t first,
               const std::string& prefix = "") {
  for (int i = 0; i < count; ++i) {
    test::photo_file(root / (name + "/" + prefix + std::to_string(i) + ".png"),
                     test::random_photo(48, 40, first + static_cast<std::uint64_t>(i)));
  }
}

Dataset held_out(const std::filesystem::path& root, const HoldOutOptions& options = {}) {
  auto dataset = scan_dataset(root);
  EXPECT_TRUE(dataset.ok());
  EXPECT_TRUE(hold_out_validation(Context{}, *dataset, options).ok());
  return std::move(*dataset);
}

// The bytes of the photos, so that names do not matter.
std::multiset<std::string> contents(const std::vector<Sample>& samples) {
  std::multiset<std::string> all;
  for (const Sample& sample : samples) {
    const auto bytes = read_file(sample.path, 1 << 20);
    all.emplace(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }
  return all;
}

TEST(HoldOut, TakesItsShareOfEveryClass) {
  const test::TemporaryFolder root;
  add_class(root, "a", 20, 0);
  add_class(root, "b", 10, 100);
  add_class(root, "c", 3, 200);
  const Dataset dataset = held_out(root.path());
  EXPECT_TRUE(dataset.val_held_out);
  EXPECT_THAT(count_per_class(dataset.val, 3), ElementsAre(4, 2, 1));
  EXPECT_THAT(count_per_class(dataset.train, 3), ElementsAre(16, 8, 2));
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("held out 7 of 33 photos")));
  EXPECT_TRUE(std::ranges::is_sorted(dataset.val, {}, [](const Sample& sample) { return sample.path.native(); }));
}

TEST(HoldOut, DependsOnContentAndSeedButNotOnNames) {
  const test::TemporaryFolder one;
  const test::TemporaryFolder other;
  add_class(one, "a", 20, 0);
  add_class(one, "b", 20, 100);
  add_class(other, "a", 20, 0, "renamed ");
  add_class(other, "b", 20, 100, "z");
  const auto first = contents(held_out(one.path()).val);
  EXPECT_EQ(first, contents(held_out(other.path()).val));
  EXPECT_NE(first, contents(held_out(one.path(), {.seed = 1}).val));
}

TEST(HoldOut, NearDuplicatesStayOnOneSide) {
  const test::TemporaryFolder root;
  for (const char* name : {"a", "b"}) {
    const std::uint64_t base = name[0] == 'a' ? 0 : 1000;
    for (std::uint64_t scene = 0; scene < 15; ++scene) {
      const Image photo = test::random_photo(64, 48, base + scene);
      for (int copy = 0; copy < 3; ++copy) {
        test::photo_file(root / (std::string(name) + "/" + std::to_string(scene) + "_" + std::to_string(copy) + ".png"),
                         resize(photo, 64 + 9 * copy, 48 + 7 * copy, Filter::kBilinear));
      }
    }
  }
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    const Dataset dataset = held_out(root.path(), {.seed = seed});
    std::map<std::string, std::set<bool>> sides;
    const auto scene_of = [](const Sample& sample) {
      const std::string name = sample.path.string();
      return name.substr(0, name.rfind('_'));
    };
    for (const Sample& sample : dataset.train) sides[scene_of(sample)].insert(false);
    for (const Sample& sample : dataset.val) sides[scene_of(sample)].insert(true);
    for (const auto& [scene, on] : sides) EXPECT_EQ(on.size(), 1U) << scene;
    EXPECT_THAT(count_per_class(dataset.val, 2), ElementsAre(9, 9));
    EXPECT_THAT(dataset.notes, Contains(HasSubstr("30 groups of near-duplicates were kept together")));
  }
}

TEST(HoldOut, EveryClassKeepsATrainingPhoto) {
  const test::TemporaryFolder root;
  add_class(root, "many", 30, 0);
  add_class(root, "one", 1, 100);
  add_class(root, "two", 2, 200);
  for (int i = 0; i < 6; ++i) test::photo_file(root / ("same/" + std::to_string(i) + ".png"), test::random_photo(40, 40, 300));
  const Dataset dataset = held_out(root.path(), {.fraction = 0.9});
  EXPECT_THAT(count_per_class(dataset.train, 4), ElementsAre(3, 1, 6, 2));
  EXPECT_THAT(dataset.notes, Contains("no photo of one in validation: it has only 1"));
  EXPECT_THAT(dataset.notes, Contains("no photo of two in validation: it has only 2"));
  EXPECT_THAT(dataset.notes, Contains("no photo of same in validation: its photos are near-duplicates of each other"));
}

TEST(HoldOut, ManyClassesWithoutValidationAreOneNote) {
  const test::TemporaryFolder root;
  add_class(root, "many", 20, 0);
  for (int k = 0; k < 5; ++k) add_class(root, "rare" + std::to_string(k), 2, 100 + 10 * static_cast<std::uint64_t>(k));
  const Dataset dataset = held_out(root.path());
  EXPECT_THAT(dataset.notes, Contains("no photo of 5 classes in validation, such as rare0, rare1, rare2: they have only 2"));
  EXPECT_THAT(dataset.notes, Not(Contains(HasSubstr("no photo of rare"))));
}

TEST(HoldOut, ClassesOfLargeGroupsGiveTheSmallest) {
  const test::TemporaryFolder root;
  add_class(root, "other", 10, 500);
  for (std::uint64_t scene = 0; scene < 3; ++scene) {
    for (std::uint64_t copy = 0; copy < 4 + scene; ++copy) {
      test::photo_file(root / ("bursts/" + std::to_string(scene) + "_" + std::to_string(copy) + ".png"),
                       test::random_photo(40, 40, scene));
    }
  }
  const Dataset dataset = held_out(root.path());
  EXPECT_THAT(count_per_class(dataset.val, 2), ElementsAre(4, 2));
}

TEST(HoldOut, CopiesWithDifferentLabelsAreNoted) {
  const test::TemporaryFolder root;
  add_class(root, "a", 10, 0);
  add_class(root, "b", 10, 100);
  test::photo_file(root / "b/again.png", test::random_photo(48, 40, 3));
  const Dataset dataset = held_out(root.path());
  EXPECT_THAT(dataset.notes, Contains(testing::AllOf(HasSubstr("different labels: 1 group, such as"), HasSubstr("a/3.png"),
                                                     HasSubstr("b/again.png"))));
}

TEST(HoldOut, UnreadablePhotosStayWhereLoadingReportsThem) {
  const test::TemporaryFolder root;
  add_class(root, "a", 10, 0);
  add_class(root, "b", 10, 100);
  for (int i = 0; i < 5; ++i) test::text_file(root / ("a/broken" + std::to_string(i) + ".jpg"), "");
  const Dataset dataset = held_out(root.path());
  EXPECT_THAT(count_per_class(dataset.val, 2), ElementsAre(2, 2));
  for (const Sample& sample : dataset.val) EXPECT_EQ(sample.path.extension(), ".png");
}

TEST(HoldOut, LeavesAGivenValidationAlone) {
  const test::TemporaryFolder root;
  add_class(root, "train/a", 5, 0);
  add_class(root, "train/b", 5, 100);
  add_class(root, "val/a", 1, 200);
  const Dataset dataset = held_out(root.path());
  EXPECT_FALSE(dataset.val_held_out);
  EXPECT_EQ(dataset.val.size(), 1U);
}

TEST(HoldOut, RefusesAShareOutsideZeroToOneAndStopsOnRequest) {
  const test::TemporaryFolder root;
  add_class(root, "a", 5, 0);
  auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ(hold_out_validation(Context{}, *dataset, {.fraction = 1}).error().kind, Error::Kind::kUsage);
  EXPECT_EQ(hold_out_validation(Context{}, *dataset, {.fraction = 0}).error().kind, Error::Kind::kUsage);
  const std::atomic<bool> stop = true;
  Context context;
  context.stop = &stop;
  EXPECT_EQ(hold_out_validation(context, *dataset).error().kind, Error::Kind::kCancelled);
  EXPECT_THAT(dataset->val, IsEmpty());
  EXPECT_EQ(dataset->train.size(), 5U);
}

}  // namespace
}  // namespace fovea
