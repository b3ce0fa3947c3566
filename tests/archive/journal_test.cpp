// SPDX-License-Identifier: Apache-2.0
#include "archive/journal.h"

#include <gtest/gtest.h>

#include "archive/catalog.h"
#include "archive/photos.h"
#include "archive/replace.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;
using metadata::as_bytes;

/// A catalogue whose owner was killed: what was begun is still begun when it is opened again.
class Recovery : public testing::Test {
 protected:
  void begin(const std::string& old, const std::string& now) {
    auto catalog = Catalog::open_for_writing(catalog_);
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    const Edit edit{file_, file_, ContentId::of(as_bytes(old)), ContentId::of(as_bytes(now)),
                    metadata::difference(as_bytes(now), as_bytes(old))};
    ASSERT_TRUE(catalog->journal().begin(edit).ok());
  }
  std::optional<Edit> finished() {
    auto catalog = Catalog::open_for_writing(catalog_);
    EXPECT_TRUE(catalog.ok());
    return *catalog->journal().finished(file_);
  }

  test::TemporaryFolder folder_;
  fs::path catalog_ = folder_ / "archive.sqlite";
  fs::path file_ = folder_ / "photo.jpg";
};

TEST_F(Recovery, KilledBeforeTheFileWasReplaced) {
  test::write_text(file_, "old");
  begin("old", "new");
  test::write_text(temporary_name(file_), "ne");
  EXPECT_FALSE(finished().has_value());
  EXPECT_FALSE(fs::exists(temporary_name(file_)));
  EXPECT_EQ(test::bytes_of(file_), "old");
}

TEST_F(Recovery, KilledAfterTheFileWasReplaced) {
  test::write_text(file_, "new");
  begin("old", "new");
  const auto edit = finished();
  ASSERT_TRUE(edit.has_value());
  const auto back = metadata::spliced(as_bytes("new"), edit->inverse);
  EXPECT_EQ(metadata::as_text(*back), "old");
}

TEST_F(Recovery, AnEarlierEditStaysUntilTheNextHasHappened) {
  test::write_text(file_, "first");
  begin("old", "first");
  ASSERT_TRUE(finished().has_value());
  begin("old", "second");
  EXPECT_EQ(finished()->written, ContentId::of(as_bytes("first")));
  begin("old", "second");
  test::write_text(file_, "second");
  EXPECT_EQ(finished()->written, ContentId::of(as_bytes("second")));
}

TEST_F(Recovery, AFinishedReturnLeavesNoTrace) {
  test::write_text(file_, "new");
  begin("old", "new");
  ASSERT_TRUE(finished().has_value());
  begin("old", "old");
  ASSERT_TRUE(finished().has_value()) << "killed before the file was put back";
  begin("old", "old");
  test::write_text(file_, "old");
  EXPECT_FALSE(finished().has_value());
}

/// After a power cut the drive may not be connected when the catalogue is opened.
TEST_F(Recovery, WhatCannotBeSeenStaysBegun) {
  begin("old", "new");
  EXPECT_FALSE(finished().has_value()) << "it is not known whether it has happened";
  test::write_text(file_, "new");
  EXPECT_TRUE(finished().has_value());
}

TEST_F(Recovery, ASidecarThatIsNotBesideItsPhotoWasNotWritten) {
  const fs::path sidecar = folder_ / "photo.jpg.xmp";
  for (const bool photo_is_there : {true, false}) {
    {
      auto catalog = Catalog::open_for_writing(catalog_);
      ASSERT_TRUE(catalog.ok());
      ASSERT_TRUE(catalog->journal().begin({sidecar, file_, {}, ContentId::of(as_bytes("new")), {}}).ok());
    }
    if (photo_is_there) test::write_text(file_, "photo");
    EXPECT_FALSE(finished().has_value());
    test::write_text(sidecar, "new");
    auto catalog = Catalog::open_for_writing(catalog_);
    EXPECT_EQ(catalog->journal().finished(sidecar)->has_value(), !photo_is_there);
    fs::remove(sidecar);
    fs::remove(file_);
  }
}

TEST(Catalog, OnlyOneProgramWrites) {
  const test::TemporaryFolder folder;
  const auto first = Catalog::open_for_writing(folder / "c.sqlite");
  ASSERT_TRUE(first.ok());
  const auto second = Catalog::open_for_writing(folder / "c.sqlite");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().kind, Error::Kind::kUsage);
  EXPECT_TRUE(Catalog::open_for_reading(folder / "c.sqlite").ok());
}

TEST(Catalog, WhatIsNotThereHasAnAbsolutePathToo) {
  EXPECT_EQ(catalog_path("not-there"), fs::canonical(fs::current_path()) / "not-there");
  EXPECT_EQ(catalog_path("not-there/"), fs::canonical(fs::current_path()) / "not-there");
}

TEST(Catalog, AnEarlierVersionIsTakenOverALaterOneRefused) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "c.sqlite";
  const auto set_version = [&](int version) {
    auto opened = Catalog::open_for_writing(path);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    ASSERT_TRUE(opened->database().set_version(version).ok());
  };
  set_version(1);
  set_version(99);
  const auto later = Catalog::open_for_writing(path);
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().kind, Error::Kind::kUnsupported);
}

TEST(Catalog, AnotherFileIsNoCatalogue) {
  const test::TemporaryFolder folder;
  test::write_text(folder / "c.sqlite", std::string(5000, 'x'));
  EXPECT_FALSE(Catalog::open_for_reading(folder / "c.sqlite").ok());
  EXPECT_FALSE(Catalog::open_for_writing(folder / "c.sqlite").ok());
}

}  // namespace
}  // namespace fovea::archive
