// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "support/paths.h"

namespace fovea {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(AtomicFile, ReplacesAndKeepsTheMode) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", "old").ok());
  ::chmod((folder / "a").c_str(), 0640);
  ASSERT_TRUE(write_file_atomically(folder / "a", "new").ok());
  EXPECT_EQ(text_of(folder / "a"), "new");
  struct stat status {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(AtomicFile, LeavesTheOldFileAndNoLitterWithoutCommit) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", "old").ok());
  {
    auto file = AtomicFile::create(folder / "a");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write("half of the new").ok());
  }
  EXPECT_EQ(text_of(folder / "a"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicFile, AFullDiskIsAnErrorThatNamesTheFile) {
  const auto file = write_file_atomically("/dev/full/x", "text");
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.error().message.find("/dev/full/x"), std::string::npos);
}

TEST(AtomicFile, ALinkStaysAndItsTargetIsReplaced) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", "old").ok());
  std::filesystem::create_symlink("a", folder / "link");
  ASSERT_TRUE(write_file_atomically(folder / "link", "new").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(text_of(folder / "a"), "new");
}

TEST(AtomicFile, ADeviceAPipeOrAFolderIsNotReplaced) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/null", folder / "null");  // of the kind that root could replace
  for (const auto& path : {folder / "pipe", folder / "null", folder.path()}) {
    const auto file = write_file_atomically(path, "text");
    ASSERT_FALSE(file.ok()) << path;
    EXPECT_NE(file.error().message.find("expected the name of a file"), std::string::npos) << file.error().message;
  }
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
}

TEST(MappedFile, RefusesFoldersAndMissingFiles) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(MappedFile::open(folder.path()).error().kind, Error::Kind::kIo);
  EXPECT_EQ(MappedFile::open(folder / "none").error().kind, Error::Kind::kNotFound);
}

TEST(ReadFile, KeepsItsLimit) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a", "12345").ok());
  EXPECT_EQ(read_file(folder / "a", 5)->size(), 5U);
  EXPECT_EQ(read_file(folder / "a", 4).error().kind, Error::Kind::kLimit);
}

}  // namespace
}  // namespace fovea
