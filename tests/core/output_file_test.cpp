// SPDX-License-Identifier: Apache-2.0
#include "core/output_file.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/file.h"
#include "support/paths.h"

namespace fovea {
namespace {

using std::string_literals::operator""s;

TEST(TextOutput, ReplacesTextAndWhatIsNotThere) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "page.html", "<!doctype html>\n\t\r\n\xC3\xA4").ok());
  ASSERT_TRUE(write_file_atomically(folder / "empty", "").ok());
  for (const std::filesystem::path& path : {folder / "page.html", folder / "empty", folder / "new", std::filesystem::path()}) {
    EXPECT_TRUE(check_text_output(path).ok()) << path;
  }
  EXPECT_TRUE(check_text_output("/dev/null").ok());
}

TEST(TextOutput, NeverReplacesAPhotoAVideoOrAModel) {
  const test::TemporaryFolder folder;
  for (const std::string& bytes :
       {"\xFF\xD8\xFF\xE0\0\x10JFIF"s, "\0\0\0 ftypisom"s, "\x10\0\0\0\0\0\0\0{}"s, "SQLite format 3\0"s}) {
    ASSERT_TRUE(write_file_atomically(folder / "precious", bytes).ok());
    const auto may = check_text_output(folder / "precious");
    ASSERT_FALSE(may.ok()) << bytes;
    EXPECT_EQ(may.error().kind, Error::Kind::kUsage);
    EXPECT_NE(may.error().message.find("precious"), std::string::npos);
  }
  EXPECT_FALSE(check_text_output(folder.path()).ok());
}

TEST(DistinctOutputs, TheSameFileIsFoundByAnyName) {
  const test::TemporaryFolder folder;
  using Paths = std::array<std::filesystem::path, 3>;
  EXPECT_TRUE(check_distinct(Paths{folder / "a", "", ""}).ok());
  EXPECT_TRUE(check_distinct(Paths{folder / "a", folder / "b", ""}).ok());
  EXPECT_FALSE(check_distinct(Paths{folder / "a", "", folder / "." / "a"}).ok());
  ASSERT_TRUE(write_file_atomically(folder / "a", "text").ok());
  std::filesystem::create_symlink(folder / "a", folder / "link");
  EXPECT_FALSE(check_distinct(Paths{folder / "link", folder / "b", folder / "a"}).ok());
}

}  // namespace
}  // namespace fovea
