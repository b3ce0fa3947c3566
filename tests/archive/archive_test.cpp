// SPDX-License-Identifier: Apache-2.0
//
// Tagging, untagging and tagging again, as a user's folder sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/photos.h"
#include "image/decode.h"
#include "metadata/xmp.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class Archive : public ArchiveTest {};

/// What the model called the photo of this name.
std::string label_of(const Kept& kept, const std::string& name) {
  const auto found = std::ranges::find(kept.photos, name, [](const TaggedPhoto& p) { return p.path.filename().string(); });
  return found == kept.photos.end() ? "not looked at" : found->answer.top().label;
}

TEST_F(Archive, SidecarsAppearBesidePhotosThatStayUntouched) {
  const auto before = files_below(photos_);
  Kept kept;
  const auto report = tag_photos(tag_options(), &kept);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->photos, 9);
  EXPECT_EQ(report->tagged, 9);
  EXPECT_EQ(report->failed, 0);
  auto after = files_below(photos_);
  EXPECT_EQ(after.size(), 18U);
  for (const auto& [name, bytes] : before) {
    EXPECT_TRUE(after[name] == bytes) << name;
    const auto xmp = metadata::read_xmp(after[name + ".xmp"]);
    ASSERT_TRUE(xmp.ok()) << after[name + ".xmp"];
    EXPECT_EQ(xmp->all.subject, std::vector<std::string>{label_of(kept, name)});
    EXPECT_EQ(xmp->all.hierarchical, std::vector<std::string>{"Fovea|model|" + label_of(kept, name)});
  }
  ASSERT_EQ(kept.photos.size(), 9U);
  EXPECT_EQ(kept.photos[0].written.filename(), "a0.png.xmp");
}

TEST_F(Archive, UntaggingLeavesEveryByteAsItWas) {
  write_text(photos_ / "b1.jpg.xmp", metadata::empty_packet());  // somebody's sidecar
  const auto before = files_below(photos_);
  for (const WriteTo where : {WriteTo::kSidecar, WriteTo::kEmbed, WriteTo::kSidecar}) {
    TagOptions options = tag_options();
    options.write_to = where;
    ASSERT_TRUE(tag_photos(options).ok());
  }
  TagOptions again = tag_options();
  again.write_to = WriteTo::kEmbed;
  again.names["a"] = "Colour/Red";
  ASSERT_TRUE(tag_photos(again).ok());
  EXPECT_TRUE(files_below(photos_) != before);
  const auto report = untag_photos(untag_options());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->failed, 0);
  EXPECT_TRUE(files_below(photos_) == before);
  EXPECT_TRUE(untag_photos(untag_options())->files.empty());
}

/// A drive that is not connected: the folder is not there, or is the empty one on which it is mounted.
TEST_F(Archive, UntaggingWhatIsNotThereKeepsTheWayBack) {
  const auto before = files_below(photos_);
  for (const WriteTo where : {WriteTo::kSidecar, WriteTo::kEmbed}) {
    TagOptions options = tag_options();
    options.write_to = where;
    ASSERT_TRUE(tag_photos(options).ok());
    fs::rename(photos_, folder_ / "away");
    for (const bool empty : {false, true}) {
      if (empty) fs::create_directory(photos_);
      Kept kept;
      const auto report = untag_photos(untag_options(), &kept);
      ASSERT_TRUE(report.ok()) << report.error().message;
      EXPECT_TRUE(report->files.empty());
      EXPECT_EQ(report->absent, 9);
      ASSERT_EQ(kept.failures.size(), 1U);
      EXPECT_THAT(kept.failures[0].second.message, testing::HasSubstr("a0.png and 8 more are not there"));
    }
    fs::remove(photos_);
    fs::rename(folder_ / "away", photos_);
    const auto report = untag_photos(untag_options());
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->files.size(), 9U);
    EXPECT_EQ(report->absent, 0);
    EXPECT_TRUE(files_below(photos_) == before);
  }
}

TEST_F(Archive, PhotosThatWereMovedGetTheirBytesBack) {
  const auto before = files_below(photos_);
  for (const WriteTo where : {WriteTo::kSidecar, WriteTo::kEmbed}) {
    TagOptions options = tag_options();
    options.write_to = where;
    ASSERT_TRUE(tag_photos(options).ok());
    const fs::path moved = folder_ / "moved";
    fs::rename(photos_, moved);
    for (const bool dry_run : {true, false}) {
      const auto report = untag_photos({{moved}, catalog_, dry_run});
      ASSERT_TRUE(report.ok()) << report.error().message;
      ASSERT_EQ(report->files.size(), 9U);
      EXPECT_EQ(report->files[0].how, where == WriteTo::kEmbed ? UntaggedPhoto::How::kRestored : UntaggedPhoto::How::kDeleted);
      EXPECT_EQ(files_below(moved) == before, !dry_run);
    }
    fs::rename(moved, photos_);
    EXPECT_TRUE(untag_photos(untag_options())->files.empty());
  }
}

/// As on a new computer.
TEST_F(Archive, WithoutItsCatalogueAPhotoLosesFoveasKeywords) {
  const auto before = files_below(photos_);
  for (const WriteTo where : {WriteTo::kSidecar, WriteTo::kEmbed}) {
    TagOptions options = tag_options();
    options.write_to = where;
    ASSERT_TRUE(tag_photos(options).ok());
    const auto report = untag_photos({{photos_}, folder_ / "none.sqlite"});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->files.size(), 9U);
    EXPECT_FALSE(fs::exists(folder_ / "none.sqlite"));
    for (const auto& [name, bytes] : files_below(photos_)) {
      EXPECT_TRUE(before.contains(name)) << name;
      EXPECT_EQ(bytes.find("urn:fovea:tags"), std::string::npos) << name;
      const auto old = decode_image(metadata::as_bytes(before.at(name)));
      EXPECT_EQ(decode_image(metadata::as_bytes(bytes))->pixels, old->pixels) << name;
    }
    EXPECT_TRUE(untag_photos({{photos_}, folder_ / "none.sqlite"})->files.empty());
    EXPECT_EQ(files_below(photos_) == before, where == WriteTo::kSidecar);
  }
}

/// Takes the folder away once the first photos are tagged, or untagged.
class Unplugging final : public ArchiveObserver {
 public:
  Unplugging(fs::path folder, fs::path away) : folder_(std::move(folder)), away_(std::move(away)) {}
  void on_photo(const TaggedPhoto& /*photo*/) override { unplug(); }
  void on_progress(const Progress& progress) override {
    if (progress.stage == "untagging") unplug();
  }
  void on_failure(const fs::path& /*photo*/, const Error& error) override { failures.push_back(error.message); }
  std::vector<std::string> failures;

 private:
  void unplug() {
    if (!fs::exists(away_)) fs::rename(folder_, away_);
  }
  fs::path folder_, away_;
};

TEST_F(Archive, ADriveThatGoesAwayEndsTheRunWithOneReason) {
  for (int copy = 0; copy < 12; ++copy) {
    for (const char* name : {"a1", "b1", "c1", "a2", "c2"}) {
      fs::copy_file(photos_ / (std::string(name) + ".jpg"), photos_ / (std::string(name) + "-" + std::to_string(copy) + ".jpg"));
    }
  }
  const auto before = files_below(photos_);
  for (const WriteTo where : {WriteTo::kSidecar, WriteTo::kEmbed}) {
    TagOptions options = tag_options();
    options.write_to = where;
    Unplugging unplugging(photos_, folder_ / "away");
    const auto report = tag_photos(options, &unplugging);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_GT(report->tagged, 0);
    EXPECT_EQ(report->tagged + report->failed, 69);
    ASSERT_EQ(unplugging.failures.size(), 1U);
    EXPECT_THAT(unplugging.failures[0], testing::AllOf(testing::HasSubstr(photos_.string()),
                                                       testing::HasSubstr(std::to_string(report->failed) + " photos")));
    fs::rename(folder_ / "away", photos_);
    const auto rest = tag_photos(options);
    ASSERT_TRUE(rest.ok());
    EXPECT_EQ(rest->tagged, report->failed);
    EXPECT_EQ(rest->unchanged, report->tagged);
    Unplugging again(photos_, folder_ / "away");
    const auto back = untag_photos(untag_options(), &again);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_GT(back->files.size(), 0U);
    EXPECT_EQ(std::ssize(back->files) + back->absent, 69);
    EXPECT_EQ(back->failed, 0);
    ASSERT_EQ(again.failures.size(), 1U);
    EXPECT_THAT(again.failures[0], testing::AllOf(testing::HasSubstr(photos_.string()),
                                                  testing::HasSubstr(std::to_string(back->absent) + " files")));
    fs::rename(folder_ / "away", photos_);
    ASSERT_EQ(std::ssize(untag_photos(untag_options())->files), back->absent);
    EXPECT_TRUE(files_below(photos_) == before);
  }
}

TEST_F(Archive, ASidecarThatSomebodyHasDeletedIsForgotten) {
  ASSERT_TRUE(tag_photos(tag_options()).ok());
  fs::remove(photos_ / "a0.png.xmp");
  const auto report = untag_photos(untag_options());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->files.size(), 8U);
  EXPECT_EQ(report->absent, 0);
}

TEST_F(Archive, EmbeddingKeepsTimesAndModes) {
  const fs::path photo = photos_ / "a1.jpg";
  fs::permissions(photo, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  fs::last_write_time(photo, fs::file_time_type::clock::now() - std::chrono::hours(5000));
  const auto time = fs::last_write_time(photo);
  TagOptions options = tag_options();
  options.write_to = WriteTo::kEmbed;
  Kept kept;
  ASSERT_TRUE(tag_photos(options, &kept).ok());
  EXPECT_EQ(kept.photos[1].written, fs::canonical(photo));
  EXPECT_EQ(fs::last_write_time(photo), time);
  EXPECT_EQ(fs::status(photo).permissions(), fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
}

TEST_F(Archive, UnchangedPhotosAreNotReadAgain) {
  ASSERT_TRUE(tag_photos(tag_options()).ok());
  EXPECT_EQ(tag_photos(tag_options())->unchanged, 9);
  write_text(photos_ / "a1.jpg", bytes_of(photos_ / "b1.jpg"));
  fs::remove(photos_ / "c1.jpg.xmp");
  Kept kept;
  const auto report = tag_photos(tag_options(), &kept);
  EXPECT_EQ(report->unchanged, 7);
  EXPECT_EQ(report->tagged, 2);
  EXPECT_TRUE(fs::exists(photos_ / "c1.jpg.xmp"));
  EXPECT_EQ(metadata::read_xmp(bytes_of(photos_ / "a1.jpg.xmp"))->all.subject,
            std::vector<std::string>{label_of(kept, "a1.jpg")});
  TagOptions other = tag_options();
  other.names["b"] = "Green";
  EXPECT_EQ(tag_photos(other)->tagged, 9);
}

TEST_F(Archive, ADryRunWritesNothing) {
  const auto before = files_below(folder_.path());
  TagOptions options = tag_options();
  options.dry_run = true;
  Kept kept;
  const auto report = tag_photos(options, &kept);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->tagged, 9);
  EXPECT_EQ(kept.photos[0].written.filename(), "a0.png.xmp");
  EXPECT_TRUE(files_below(folder_.path()) == before);
}

TEST_F(Archive, AnUnsurePhotoGetsNoKeyword) {
  TagOptions options = tag_options();
  options.min_probability = 1;
  const auto report = tag_photos(options);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->without + report->tagged, 9);
  EXPECT_GT(report->without, 0);
}

TEST_F(Archive, WhatOthersChangedSinceIsKept) {
  ASSERT_TRUE(tag_photos(tag_options()).ok());
  const fs::path sidecar = photos_ / "a1.jpg.xmp";
  std::string text = bytes_of(sidecar);
  text.insert(text.find("</rdf:Bag>"), "<rdf:li>holiday</rdf:li>");
  write_text(sidecar, text);
  const auto report = untag_photos(untag_options());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->files.size(), 9U);
  EXPECT_EQ(std::ranges::count(report->files, UntaggedPhoto::How::kTakenOut, &UntaggedPhoto::how), 1);
  ASSERT_TRUE(fs::exists(sidecar));
  EXPECT_EQ(metadata::read_xmp(bytes_of(sidecar))->all.subject, std::vector<std::string>{"holiday"});
  EXPECT_FALSE(fs::exists(photos_ / "a2.jpg.xmp"));
}

TEST_F(Archive, ASidecarThatIsNoXmpIsLeftAlone) {
  write_text(photos_ / "a1.jpg.xmp", "not XMP");
  Kept kept;
  const auto report = tag_photos(tag_options(), &kept);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->failed, 1);
  EXPECT_EQ(report->tagged, 8);
  EXPECT_EQ(bytes_of(photos_ / "a1.jpg.xmp"), "not XMP");
  ASSERT_EQ(kept.failures.size(), 1U);
  EXPECT_THAT(kept.failures[0].second.message, testing::HasSubstr("a1.jpg.xmp"));
}

TEST_F(Archive, PhotosThatMayNotBeReplacedGetASidecar) {
  fs::create_hard_link(photos_ / "a1.jpg", folder_ / "other name.jpg");
  fs::permissions(photos_ / "a2.jpg", fs::perms::owner_read);
  const std::string linked = bytes_of(photos_ / "a1.jpg");
  const std::string protected_photo = bytes_of(photos_ / "a2.jpg");
  TagOptions options = tag_options();
  options.write_to = WriteTo::kEmbed;
  Kept kept;
  ASSERT_TRUE(tag_photos(options, &kept).ok());
  EXPECT_THAT(kept.photos[1].remark, testing::HasSubstr("hard links"));
  EXPECT_THAT(kept.photos[2].remark, testing::HasSubstr("read-only"));
  EXPECT_TRUE(bytes_of(photos_ / "a1.jpg") == linked);
  EXPECT_TRUE(bytes_of(photos_ / "a2.jpg") == protected_photo);
  EXPECT_TRUE(fs::exists(photos_ / "a2.jpg.xmp"));
}

TEST_F(Archive, ACopiedPhotoIsTaggedFromItsOriginalBytes) {
  TagOptions options = tag_options();
  options.write_to = WriteTo::kEmbed;
  const std::string original = bytes_of(photos_ / "a1.jpg");
  ASSERT_TRUE(tag_photos(options).ok());
  fs::rename(photos_ / "a1.jpg", photos_ / "moved.jpg");
  fs::copy(photos_ / "moved.jpg", photos_ / "copied.jpg");
  ASSERT_TRUE(tag_photos(options).ok());
  for (const char* label : {"a", "b", "c"}) options.names[label] = "Colour";
  options.paths = {photos_ / "copied.jpg"};
  ASSERT_TRUE(tag_photos(options).ok());
  ASSERT_TRUE(untag_photos(untag_options()).ok());
  EXPECT_TRUE(bytes_of(photos_ / "moved.jpg") == original);
  EXPECT_TRUE(bytes_of(photos_ / "copied.jpg") == original);
}

/// Even once the photo itself has its bytes back, or other keywords.
TEST_F(Archive, CopiesOfATaggedPhotoGetItsBytesBack) {
  TagOptions options = tag_options();
  options.write_to = WriteTo::kEmbed;
  const std::string original = bytes_of(photos_ / "b1.jpg");
  ASSERT_TRUE(tag_photos(options).ok());
  fs::create_directory(folder_ / "copies");
  for (const char* name : {"a.jpg", "z.jpg", "later.jpg"}) fs::copy(photos_ / "b1.jpg", folder_ / "copies" / name);
  fs::copy(photos_ / "b1.jpg", photos_ / "zz.jpg");
  ASSERT_TRUE(untag_photos(untag_options()).ok());
  for (const char* name : {"b1.jpg", "zz.jpg"}) EXPECT_TRUE(bytes_of(photos_ / name) == original) << name;
  for (const char* name : {"a.jpg", "z.jpg"}) {
    const auto report = untag_photos({{folder_ / "copies" / name}, catalog_});
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->files.size(), 1U);
    EXPECT_TRUE(bytes_of(folder_ / "copies" / name) == original) << name;
  }
  for (const char* label : {"a", "b", "c"}) options.names[label] = "Colour";
  ASSERT_TRUE(tag_photos(options).ok());
  ASSERT_TRUE(untag_photos({{folder_ / "copies"}, catalog_}).ok());
  EXPECT_TRUE(bytes_of(folder_ / "copies/later.jpg") == original);
}

TEST_F(Archive, NamesOfClassesThatAreNotThereAreRefused) {
  TagOptions options = tag_options();
  options.names["sunny"] = "Weather/Sunny";
  const auto report = tag_photos(options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind, Error::Kind::kUsage);
}

TEST_F(Archive, TwoRunsAtOnceAreRefused) {
  // The second one starts while the first is at its first photo.
  class Second final : public ArchiveObserver {
   public:
    explicit Second(const TagOptions& options) : options_(options) {}
    void on_photo(const TaggedPhoto& /*photo*/) override { refused = !tag_photos(options_).ok(); }
    bool refused = false;

   private:
    TagOptions options_;
  };
  Second second(tag_options());
  ASSERT_TRUE(tag_photos(tag_options(), &second).ok());
  EXPECT_TRUE(second.refused);
}

}  // namespace
}  // namespace fovea::test
