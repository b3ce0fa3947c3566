// SPDX-License-Identifier: Apache-2.0
#include "watch/journal.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/paths.h"
#include "watch/pictures.h"

namespace fovea::watching {
namespace {

using test::TemporaryFolder;

/// A database that can be out of reach.
class JournalTest : public testing::Test {
 protected:
  Journal journal(std::size_t most_waiting) {
    return Journal(
        [this]() -> Result<Store> {
          if (broken) return fail(Error::Kind::kIo, "the disk is full");
          return Store::open(folder_ / "w.db");
        },
        most_waiting);
  }
  std::vector<std::int64_t> gaps() {
    auto store = Store::open(folder_ / "w.db");
    auto select = store->connection().prepare("SELECT slots FROM gaps ORDER BY id");
    std::vector<std::int64_t> counts;
    while (select->step().value()) counts.push_back(select->integer(0));
    return counts;
  }
  std::vector<WatchRecord> records() {
    auto store = Store::open(folder_ / "w.db");
    return all_of(*store);
  }

  bool broken = false;
  TemporaryFolder folder_;
};

TEST_F(JournalTest, WhatCannotBeStoredWaitsAndKeepsItsOrder) {
  Journal j = journal(100);
  broken = true;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(j.add(classified(i), {}).ok());
  EXPECT_FALSE(j.add(WatchGap{time_of(5), time_of(6), 2, "late"}).ok());
  EXPECT_EQ(j.waiting(), 6U);
  broken = false;
  EXPECT_TRUE(j.add(classified(7), {}).ok());
  EXPECT_EQ(j.waiting(), 0U);
  const auto stored = records();
  ASSERT_EQ(stored.size(), 6U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(stored[i].time, time_of(static_cast<std::int64_t>(i)));
  EXPECT_EQ(stored[5].time, time_of(7));
  EXPECT_EQ(gaps(), std::vector<std::int64_t>{2});
}

TEST_F(JournalTest, WhatIsGivenUpIsCounted) {
  Journal j = journal(4);
  broken = true;
  for (int i = 0; i < 20; ++i) static_cast<void>(j.add(classified(i), {}));
  EXPECT_LE(j.waiting(), 5U);
  broken = false;
  EXPECT_TRUE(j.flush().ok());
  const auto stored = records();
  std::int64_t counted = static_cast<std::int64_t>(stored.size());
  for (const std::int64_t gap : gaps()) counted += gap;
  EXPECT_EQ(counted, 20);
  EXPECT_EQ(j.given_up(), 20 - static_cast<std::int64_t>(stored.size()));
  EXPECT_EQ(stored.back().time, time_of(19));
}

TEST_F(JournalTest, ThePhotoOfWhatIsGivenUpGoesToo) {
  Journal j = journal(1);
  broken = true;
  WatchRecord record = classified(0);
  record.photo = folder_ / "p.jpg";
  write_picture(record.photo, picture_of(8, 8, 9));
  static_cast<void>(j.add(record, {}));
  EXPECT_TRUE(std::filesystem::exists(record.photo));
  static_cast<void>(j.add(classified(1), {}));
  EXPECT_FALSE(std::filesystem::exists(record.photo));
}

}  // namespace
}  // namespace fovea::watching
