// SPDX-License-Identifier: Apache-2.0
#include "data/dataset.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/photos.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::photo_file;
using test::text_file;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names_of(const std::vector<Sample>& samples, const fs::path& root) {
  std::vector<std::string> names;
  for (const Sample& sample : samples) names.push_back(sample.path.lexically_relative(root).string());
  return names;
}

std::string refusal(const fs::path& path, const ScanOptions& options = {}) {
  const auto dataset = scan_dataset(path, options);
  return dataset.ok() ? "accepted" : dataset.error().message;
}

TEST(ScanFolders, OneFolderForEachClass) {
  const test::TemporaryFolder root;
  for (const char* name : {"zebra/1.jpg", "Äpfel und Birnen/b 2.PNG", "Äpfel und Birnen/deep/er/a.webp", "Cat/x.jpeg"})
    photo_file(root / name);
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(dataset->layout, Layout::kClassFolders);
  EXPECT_THAT(dataset->classes, ElementsAre("Cat", "zebra", "Äpfel und Birnen"));
  EXPECT_THAT(names_of(dataset->train, root.path()),
              ElementsAre("Cat/x.jpeg", "zebra/1.jpg", "Äpfel und Birnen/b 2.PNG", "Äpfel und Birnen/deep/er/a.webp"));
  EXPECT_THAT(dataset->train[3].labels, ElementsAre(2));
  EXPECT_THAT(dataset->val, IsEmpty());
  EXPECT_THAT(dataset->notes, IsEmpty());
}

TEST(ScanFolders, FurtherPhotosAreForTraining) {
  const test::TemporaryFolder root;
  for (const char* name : {"data/train/a/1.jpg", "data/train/b/1.jpg", "data/val/a/2.jpg", "data/val/b/2.jpg", "more/a/3.jpg",
                           "more/c/3.jpg", "again/b/4.jpg"})
    photo_file(root / name);
  const auto dataset = scan_dataset(root / "data", {.more = {root / "more", root / "again"}});
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_THAT(dataset->classes, ElementsAre("a", "b", "c"));
  EXPECT_THAT(names_of(dataset->train, root.path()),
              ElementsAre("again/b/4.jpg", "data/train/a/1.jpg", "data/train/b/1.jpg", "more/a/3.jpg", "more/c/3.jpg"));
  EXPECT_EQ(dataset->val.size(), 2U);
  EXPECT_EQ(scan_dataset(root / "data", {.more = {root / "absent"}}).error().kind, Error::Kind::kNotFound);
}

TEST(ScanFolders, NoneIsNoClass) {
  const test::TemporaryFolder root;
  for (const char* name :
       {"train/b/1.jpg", "train/a/1.jpg", "train/None/1.jpg", "train/None/2.jpg", "val/b/2.jpg", "val/background/3.jpg"})
    photo_file(root / name);
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_THAT(dataset->classes, ElementsAre("a", "b"));
  EXPECT_EQ(dataset->train.size(), 2U);
  EXPECT_THAT(dataset->train[1].labels, ElementsAre(1));
  EXPECT_THAT(names_of(dataset->none.train, root.path()), ElementsAre("train/None/1.jpg", "train/None/2.jpg"));
  EXPECT_THAT(names_of(dataset->none.val, root.path()), ElementsAre("val/background/3.jpg"));
  EXPECT_THAT(dataset->notes, Contains(HasSubstr("3 photos of none of the classes")));
}

TEST(ScanFolders, NoneIsAClassWhereOnlyOneOtherIsThere) {
  const test::TemporaryFolder root;
  for (const char* name : {"cat/1.jpg", "background/2.jpg"}) photo_file(root / name);
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_THAT(dataset->classes, ElementsAre("background", "cat"));
}

TEST(ScanFolders, SplitsShareTheirClassesByName) {
  const test::TemporaryFolder root;
  for (const char* name : {"train/b/1.jpg", "train/a/1.jpg", "valid/b/2.jpg", "valid/c/3.jpg", "TEST/b/4.jpg"})
    photo_file(root / name);
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(dataset->layout, Layout::kSplitFolders);
  EXPECT_THAT(dataset->classes, ElementsAre("a", "b", "c"));
  ASSERT_EQ(dataset->val.size(), 2U);
  EXPECT_THAT(dataset->val[0].labels, ElementsAre(1));
  EXPECT_THAT(dataset->val[1].labels, ElementsAre(2));
  EXPECT_EQ(dataset->test.size(), 1U);
  EXPECT_THAT(dataset->notes,
              ElementsAre("only in train, not in val: a", "only in val, not in train: c", "only in train, not in test: a"));
}

TEST(ScanFolders, SpellingsOfOneNameAreTwoClassesAndNoted) {
  const test::TemporaryFolder root;
  for (const char* name : {"clear/1.jpg", "Clear/2.jpg", "cloudy/3.jpg"}) photo_file(root / name);
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok());
  EXPECT_THAT(dataset->classes, ElementsAre("Clear", "clear", "cloudy"));
  EXPECT_THAT(dataset->notes, ElementsAre("different classes, by upper and lower case alone: Clear, clear"));
}

TEST(ScanFolders, AClassMayBeCalledTrain) {
  const test::TemporaryFolder root;
  for (const char* name : {"train/1.jpg", "tram/1.jpg", "bus/1.jpg"}) photo_file(root / name);
  const auto vehicles = scan_dataset(root.path());
  ASSERT_TRUE(vehicles.ok());
  EXPECT_THAT(vehicles->classes, ElementsAre("bus", "train", "tram"));
  const test::TemporaryFolder exam;
  for (const char* name : {"train/1.jpg", "test/1.jpg"}) photo_file(exam / name);
  EXPECT_THAT(scan_dataset(exam.path())->classes, ElementsAre("test", "train"));
}

TEST(ScanFolders, LitterIsPassedOverInSilenceAndTheRestIsNoted) {
  const test::TemporaryFolder root;
  for (const char* name : {"a/1.jpg", "b/2.jpg", "b/.hidden.jpg", "@eaDir/1.jpg", "a/@eaDir/1.jpg", ".git/x.jpg", "loose.jpg"}) {
    photo_file(root / name);
  }
  for (const char* name : {"a/Thumbs.db", "a/.DS_Store", "desktop.ini", "a/notes.txt", "b/clip.mp4"})
    text_file(root / name, "not a photo");
  fs::create_directory(root / "empty");
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_THAT(dataset->classes, ElementsAre("a", "b"));
  EXPECT_EQ(dataset->train.size(), 2U);
  EXPECT_THAT(dataset->notes,
              ElementsAre(HasSubstr("passed over, a class folder without photos: /"),
                          HasSubstr("a photo outside the class folders: /"), HasSubstr("not a photo: 2 entries, such as /")));
  EXPECT_THAT(refusal(root.path(), {.strict = true}), HasSubstr("notes.txt"));
}

TEST(ScanFolders, APhotoIsKnownByItsBytesWhenItsNameSaysNothing) {
  const test::TemporaryFolder root;
  photo_file(root / "a/IMG_1");
  photo_file(root / "b/photo.jpg.bak");
  text_file(root / "a/README", "text");
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(dataset->train.size(), 2U);
}

TEST(ScanFolders, LinksAreFollowedOnceAndLoopsEnd) {
  const test::TemporaryFolder elsewhere;
  photo_file(elsewhere / "1.jpg");
  const test::TemporaryFolder root;
  photo_file(root / "a/1.jpg");
  fs::create_directory_symlink(elsewhere.path(), root / "b");
  fs::create_directory_symlink(root.path(), root / "a/up");
  fs::create_directory_symlink(root / "a", root / "a/self");
  fs::create_symlink(root / "a/gone.jpg", root / "a/dangling.jpg");
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_THAT(names_of(dataset->train, root.path()), ElementsAre("a/1.jpg", "b/1.jpg"));
  EXPECT_THAT(dataset->notes, ElementsAre(HasSubstr("a link that leads nowhere: /"),
                                          HasSubstr("a link to a folder that was entered already: 2 entries")));
  EXPECT_THAT(refusal(root.path(), {.follow_symlinks = false, .strict = true}), HasSubstr("a link"));
}

TEST(ScanFolders, SaysWhatWasFoundWhenThereIsNothingToLearnFrom) {
  const test::TemporaryFolder root;
  EXPECT_THAT(refusal(root.path()), testing::AllOf(HasSubstr("found nothing"), HasSubstr("a folder for each class")));
  text_file(root / "docs/a.txt", "text");
  photo_file(root / "1.jpg");
  EXPECT_THAT(refusal(root.path()),
              testing::AllOf(HasSubstr("photo outside the class folders"), HasSubstr("a.txt"), HasSubstr("path,label")));
  EXPECT_THAT(refusal(root / "nowhere"), HasSubstr("nowhere: no such folder"));
  EXPECT_THAT(refusal(root / "1.jpg"), HasSubstr("1.jpg: a photo, expected"));
}

TEST(ScanFolders, RefusesAClassNameThatCannotBeWritten) {
  const test::TemporaryFolder root;
  photo_file(root / "a/1.jpg");
  photo_file(root / "b\xFF/1.jpg");
  EXPECT_THAT(refusal(root.path()), HasSubstr("class \"b\\xff\""));
}

TEST(ScanFolders, NeverWritesIntoTheFolder) {
  const test::TemporaryFolder root;
  photo_file(root / "a/1.jpg");
  photo_file(root / "b/1.jpg");
  for (const char* name : {"a", "b", "."}) ::chmod((root / name).c_str(), 0555);
  const auto before = fs::last_write_time(root / "a");
  EXPECT_TRUE(scan_dataset(root.path()).ok());
  EXPECT_EQ(fs::last_write_time(root / "a"), before);
  for (const char* name : {"a", "b", "."}) ::chmod((root / name).c_str(), 0755);
}

TEST(ScanFolders, AFolderWithoutPermissionIsNoted) {
  if (::geteuid() == 0) GTEST_SKIP() << "needs a user whom permissions bind";
  const test::TemporaryFolder root;
  photo_file(root / "a/1.jpg");
  photo_file(root / "b/1.jpg");
  ::chmod((root / "b").c_str(), 0);
  const auto dataset = scan_dataset(root.path());
  ::chmod((root / "b").c_str(), 0755);
  ASSERT_TRUE(dataset.ok());
  EXPECT_THAT(dataset->notes, Contains(HasSubstr("cannot be read: Permission denied")));
}

TEST(ScanFolders, ThousandsOfPhotosInAFolder) {
  const test::TemporaryFolder root;
  for (int i = 0; i < 5000; ++i) text_file(root / ("many/" + std::to_string(i) + ".jpg"), "");
  photo_file(root / "few/1.jpg");
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok());
  EXPECT_THAT(count_per_class(dataset->train, 2), ElementsAre(1, 5000));
  EXPECT_TRUE(check_trainable(*dataset).ok());
}

TEST(CheckTrainable, WantsTwoClasses) {
  const test::TemporaryFolder root;
  photo_file(root / "only/1.jpg");
  const auto dataset = scan_dataset(root.path());
  ASSERT_TRUE(dataset.ok());
  EXPECT_THAT(check_trainable(*dataset).error().message, HasSubstr("1 class with training photos, expected at least two"));
}

TEST(MultiLabel, TheSameBytesInSeveralClassFoldersAreOnePhotoWhenAskedFor) {
  const test::TemporaryFolder root;
  photo_file(root / "train/sun/1.png", test::flat_photo(4, 4, 200, 0, 0));
  photo_file(root / "train/haze/another name.png", test::flat_photo(4, 4, 200, 0, 0));
  photo_file(root / "train/haze/2.png", test::flat_photo(4, 4, 0, 200, 0));  // as long as the others, but not the same
  photo_file(root / "val/sun/3.png", test::flat_photo(4, 4, 200, 0, 0));     // a split of its own
  EXPECT_FALSE(scan_dataset(root.path())->multi_label);
  EXPECT_EQ(scan_dataset(root.path())->train.size(), 3U);
  const auto dataset = scan_dataset(root.path(), {.multi_label = true});
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_TRUE(dataset->multi_label);
  EXPECT_THAT(names_of(dataset->train, root.path()), ElementsAre("train/haze/2.png", "train/haze/another name.png"));
  EXPECT_THAT(dataset->train[0].labels, ElementsAre(0));
  EXPECT_THAT(dataset->train[1].labels, ElementsAre(0, 1));
  EXPECT_THAT(dataset->val[0].labels, ElementsAre(1));
  EXPECT_THAT(dataset->notes, Contains(HasSubstr("photos in several class folders, with all of these labels: 1")));
}

TEST(MultiLabel, NoneIsAPhotoWithoutLabels) {
  const test::TemporaryFolder root;
  for (const char* name : {"1", "2", "3", "4"}) photo_file(root / (std::string(name) + ".png"));
  test::text_file(root / "labels.csv",
                  "path,label,split\n1.png,sun;haze,train\n2.png,none,train\n3.png,sun,train\n4.png,None,val\n");
  const auto dataset = scan_dataset(root / "labels.csv");
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_THAT(dataset->classes, ElementsAre("haze", "sun"));
  EXPECT_THAT(names_of(dataset->train, root.path()), ElementsAre("1.png", "2.png", "3.png"));
  EXPECT_TRUE(dataset->train[1].labels.empty());
  EXPECT_EQ(dataset->val.size(), 1U);
  EXPECT_TRUE(dataset->none.train.empty());
}

TEST(MultiLabel, APhotoStandsForItsRarestLabel) {
  const std::vector<Sample> samples{{"", {0, 1}}, {"", {0, 2}}, {"", {0}}, {"", {}}, {"", {1, 2}}, {"", {1}}};
  EXPECT_THAT(home_classes(samples, 3), ElementsAre(0, 2, 0, 3, 2, 1));
}

TEST(ClassWeights, AverageToOneOverTheSamples) {
  std::vector<Sample> samples;
  for (const int label : {0, 0, 0, 2}) samples.push_back({"x", {label}});
  EXPECT_THAT(balanced_class_weights(samples, 3), ElementsAre(4.0F / 6, 0.0F, 2.0F));
}

TEST(ScanCsv, ReadsSplitsSeveralLabelsAndOddNames) {
  const test::TemporaryFolder root;
  for (const char* name : {"photos/a, b.jpg", "photos/ü.jpg", "c.jpg"}) photo_file(root / name);
  text_file(root / "labels.csv",
            "\xEF\xBB\xBFPath,Label,split,comment\r\n\"photos/a, "
            "b.jpg\",sky;sea,train,\r\nphotos/ü.jpg,sea,Validation,x\r\n./c.jpg,,,\r\n");
  const auto dataset = scan_dataset(root / "labels.csv");
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(dataset->layout, Layout::kCsv);
  EXPECT_TRUE(dataset->multi_label);
  EXPECT_THAT(dataset->classes, ElementsAre("sea", "sky"));
  ASSERT_EQ(dataset->train.size(), 2U);
  EXPECT_EQ(dataset->train[0].path, root / "c.jpg");
  EXPECT_THAT(dataset->train[0].labels, IsEmpty());
  EXPECT_THAT(dataset->train[1].labels, ElementsAre(0, 1));
  ASSERT_EQ(dataset->val.size(), 1U);
  EXPECT_THAT(dataset->val[0].labels, ElementsAre(0));
}

TEST(ScanCsv, ErrorsNameFileAndLine) {
  const test::TemporaryFolder root;
  photo_file(root / "a.jpg");
  photo_file(root / "b.jpg");
  const auto message = [&](const std::string& text) {
    text_file(root / "l.csv", text);
    return refusal(root / "l.csv");
  };
  EXPECT_THAT(message("path,label\na.jpg,x,y\n"), HasSubstr("l.csv: line 2: 3 fields, expected 2"));
  EXPECT_THAT(message("path;label\na.jpg;x\n"),
              HasSubstr("line 1: the header is \"path;label\", expected path,label or path,label,split, separated by commas"));
  EXPECT_THAT(message("path,label,split\na.jpg,x,dev\n"), HasSubstr("line 2: split is \"dev\""));
  EXPECT_THAT(message("path,label\na.jpg,x\nb.jpg,\n"), HasSubstr("line 3: the label is empty"));
  EXPECT_THAT(message("path,label\na.jpg,x\n./a.jpg,y\n"), HasSubstr("listed already in line 2"));
  EXPECT_THAT(message("path,label\n,x\n"), HasSubstr("line 2: the path is empty"));
  EXPECT_THAT(message(""), HasSubstr("line 1: empty"));
  EXPECT_THAT(message("path,label\ngone.jpg,x\n"),
              testing::AllOf(HasSubstr("no photo with a class"), HasSubstr("listed but not there")));
}

TEST(ScanCsv, PathsMayBeWindowsOwn) {
  const test::TemporaryFolder root;
  photo_file(root / "a/1.jpg");
  photo_file(root / "b/1.jpg");
  photo_file(root / "back\\slash.jpg");
  text_file(root / "l.csv", "path,label\r\na\\1.jpg,x\r\n" + (root / "b/1.jpg").string() + ",y\r\nback\\slash.jpg,y\r\n");
  const auto dataset = scan_dataset(root / "l.csv");
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_TRUE(dataset->notes.empty()) << dataset->notes.front();
  EXPECT_EQ(dataset->train.size(), 3U);
}

TEST(ScanCsv, MissingPhotosAreNotedOrRefused) {
  const test::TemporaryFolder root;
  photo_file(root / "a.jpg");
  text_file(root / "l.csv", "path,label\na.jpg,x\ngone.jpg,y\n");
  const auto dataset = scan_dataset(root / "l.csv");
  ASSERT_TRUE(dataset.ok());
  EXPECT_THAT(dataset->classes, ElementsAre("x"));
  EXPECT_THAT(dataset->notes, ElementsAre(HasSubstr("listed but not there: /")));
  ASSERT_EQ(dataset->missing.size(), 1U);
  EXPECT_EQ(dataset->missing[0].path, root / "gone.jpg");
  EXPECT_THAT(refusal(root / "l.csv", {.strict = true}), HasSubstr("line 3: no file"));
}

TEST(ScanShared, WeatherHasItsFourClassesOnBothSides) {
  FOVEA_NEEDS_SHARED("data/weather");
  const auto dataset = scan_dataset(test::shared_path("data/weather"));
  ASSERT_TRUE(dataset.ok()) << dataset.error().message;
  EXPECT_EQ(dataset->layout, Layout::kSplitFolders);
  EXPECT_THAT(dataset->classes, ElementsAre("cloudy", "rain", "shine", "sunrise"));
  EXPECT_GT(dataset->train.size(), dataset->val.size());
  EXPECT_GT(dataset->val.size(), 0U);
}

}  // namespace
}  // namespace fovea
