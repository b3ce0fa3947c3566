// SPDX-License-Identifier: Apache-2.0
#include "archive/replace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>

#include "archive/photos.h"
#include "metadata/splice.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;
using metadata::as_bytes;

Result<void> accept(Bytes /*written*/) { return {}; }

class Replace : public testing::Test {
 protected:
  void SetUp() override { test::write_text(file_, "old"); }
  [[nodiscard]] std::string content() const { return test::bytes_of(file_); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }

  test::TemporaryFolder folder_;
  fs::path file_ = folder_ / "photo.jpg";
};

TEST_F(Replace, NewBytesTakeThePlaceOfTheOld) {
  const auto stamp = replace_file(file_, stamp_of(file_), as_bytes("newer"), accept);
  ASSERT_TRUE(stamp.ok()) << stamp.error().message;
  EXPECT_EQ(content(), "newer");
  EXPECT_EQ(stamp_of(file_), *stamp);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Replace, AFileThatIsNotTheExpectedOneIsLeftAlone) {
  const auto stamp = stamp_of(file_);
  test::write_text(file_, "other");
  EXPECT_FALSE(replace_file(file_, stamp, as_bytes("new"), accept).ok());
  EXPECT_FALSE(replace_file(file_, std::nullopt, as_bytes("new"), accept).ok()) << "there was to be none";
  EXPECT_FALSE(remove_file(file_, *stamp).ok());
  EXPECT_EQ(content(), "other");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Replace, AFileThatChangesAtTheLastMomentIsLeftAlone) {
  const auto meddle = [&](Bytes) -> Result<void> {
    test::write_text(file_, "meddled");
    return {};
  };
  const auto replaced = replace_file(file_, stamp_of(file_), as_bytes("new"), meddle);
  ASSERT_FALSE(replaced.ok());
  EXPECT_THAT(replaced.error().message, testing::HasSubstr("changed by another program"));
  EXPECT_EQ(content(), "meddled");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Replace, WhatIsNotVerifiedDoesNotTakeItsPlace) {
  const auto refuse = [](Bytes) -> Result<void> { return Error{Error::Kind::kFormat, "pixels"}; };
  EXPECT_FALSE(replace_file(file_, stamp_of(file_), as_bytes("new"), refuse).ok());
  EXPECT_EQ(content(), "old");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Replace, AttributesAreKept) {
  if (::setxattr(file_.c_str(), "user.fovea.test", "value", 5, 0) != 0)
    GTEST_SKIP() << "no extended attributes on this file system";
  ASSERT_TRUE(replace_file(file_, stamp_of(file_), as_bytes("new"), accept).ok());
  std::string value(5, '\0');
  EXPECT_EQ(::getxattr(file_.c_str(), "user.fovea.test", value.data(), value.size()), 5);
  EXPECT_EQ(value, "value");
}

TEST_F(Replace, WhatAKilledRunLeftBehindIsNoHindrance) {
  test::write_text(temporary_name(file_), "half of a ph");
  ASSERT_TRUE(replace_file(file_, stamp_of(file_), as_bytes("new"), accept).ok());
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Replace, AFolderThatTakesNothingIsNamed) {
  const auto made = replace_file("/proc/photo.jpg", std::nullopt, as_bytes("new"), accept);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, testing::HasSubstr("/proc/photo.jpg"));
}

}  // namespace
}  // namespace fovea::archive
