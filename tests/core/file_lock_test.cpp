// SPDX-License-Identifier: Apache-2.0
#include "core/file_lock.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <utility>

#include "support/paths.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using enum FileLock::InTheEnd;

TEST(FileLock, HasOneHolderAtATime) {
  const test::TemporaryFolder folder;
  std::optional<FileLock> first = FileLock::of_folder(folder.path());
  EXPECT_EQ(first->locked(), Locked::kYes);
  EXPECT_EQ(FileLock::of_folder(folder.path()).locked(), Locked::kBusy);
  const FileLock moved = std::move(*first);
  first.reset();
  EXPECT_EQ(FileLock::of_folder(folder.path()).locked(), Locked::kBusy);
}

TEST(FileLock, OfAFileMakesItAndLeavesOrRemovesIt) {
  const test::TemporaryFolder folder;
  for (const auto end : {kLeave, kRemove}) {
    {
      const auto lock = FileLock::of_file(folder / "lock", end);
      ASSERT_TRUE(lock.ok()) << lock.error().message;
      const auto second = FileLock::of_file(folder / "lock", end);
      ASSERT_TRUE(second.ok());
      EXPECT_EQ(second->locked(), Locked::kBusy);
    }
    EXPECT_EQ(fs::exists(folder / "lock"), end == kLeave);
  }
}

// A lock of a name that another file has by now would keep nobody out.
TEST(FileLock, RemovesNoFileThatHasTakenTheName) {
  const test::TemporaryFolder folder;
  {
    const auto lock = FileLock::of_file(folder / "lock", kRemove);
    ASSERT_TRUE(lock.ok());
    fs::remove(folder / "lock");
    std::ofstream(folder / "lock") << "another's";
  }
  EXPECT_TRUE(fs::exists(folder / "lock"));
}

TEST(FileLock, WhatCannotBeMadeOrOpenedIsToldApart) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(FileLock::of_folder(folder / "absent").locked(), Locked::kUnknown);
  const auto lock = FileLock::of_file(folder / "absent" / "lock", kLeave);
  ASSERT_FALSE(lock.ok());
  EXPECT_EQ(lock.error().kind, Error::Kind::kIo);
}

}  // namespace
}  // namespace fovea
