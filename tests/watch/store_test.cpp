// SPDX-License-Identifier: Apache-2.0
#include "watch/store.h"

#include <gtest/gtest.h>

#include "support/paths.h"
#include "watch/pictures.h"

namespace fovea::watching {
namespace {

using test::TemporaryFolder;

TEST(Store, RecordsComeBackAsTheyWere) {
  const TemporaryFolder folder;
  {
    auto store = Store::open(folder / "w.db");
    ASSERT_TRUE(store.ok()) << store.error().message;
    WatchRecord record = classified(0, "semi-clear", 0.7);
    record.rejected = true;
    record.photo = "a/b.jpg";
    ASSERT_TRUE(store->add(record, {1234, {std::byte{1}}}).ok());
    ASSERT_TRUE(store->add(fault(1, "no picture"), {}).ok());
    WatchRecord night = fault(2, "");
    night.state = SlotState::kNight;
    night.sun = -20;
    ASSERT_TRUE(store->add(night, {}).ok());
  }
  auto store = Store::open(folder / "w.db", database::Access::kReadOnly);
  ASSERT_TRUE(store.ok()) << store.error().message;
  const std::vector<WatchRecord> records = all_of(*store);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].time, time_of(0));
  EXPECT_EQ(records[0].utc_offset, std::chrono::hours(1));
  EXPECT_EQ(records[0].state, SlotState::kClassified);
  ASSERT_EQ(records[0].predictions.size(), 2U);
  EXPECT_EQ(records[0].predictions[0].label, "semi-clear");
  EXPECT_EQ(records[0].predictions[0].probability, 0.7);
  EXPECT_TRUE(records[0].rejected);
  EXPECT_EQ(records[0].sun, 12.5);
  EXPECT_EQ(records[0].photo, "a/b.jpg");
  EXPECT_EQ(records[1].state, SlotState::kFault);
  EXPECT_EQ(records[1].fault, "no picture");
  EXPECT_FALSE(records[1].sun);
  EXPECT_TRUE(records[1].predictions.empty());
  EXPECT_EQ(records[2].state, SlotState::kNight);
}

TEST(Store, TheNewestIsTheLastRecordOrGap) {
  const TemporaryFolder folder;
  auto store = Store::open(folder / "w.db");
  ASSERT_TRUE(store.ok());
  EXPECT_FALSE(store->newest().value());
  ASSERT_TRUE(store->add(classified(5), {}).ok());
  EXPECT_EQ(store->newest().value(), time_of(5));
  ASSERT_TRUE(store->add(WatchGap{time_of(6), time_of(8), 3, "late"}).ok());
  EXPECT_EQ(store->newest().value(), time_of(8));
}

TEST(Store, PhotosAreForgottenOldestFirst) {
  const TemporaryFolder folder;
  auto store = Store::open(folder / "w.db");
  ASSERT_TRUE(store.ok());
  for (int i = 0; i < 3; ++i) {
    WatchRecord record = classified(i);
    record.photo = std::to_string(i);
    ASSERT_TRUE(store->add(record, {10 + i, {}}).ok());
  }
  EXPECT_EQ(store->photo_bytes().value(), 33);
  const auto oldest = store->oldest_photo();
  ASSERT_TRUE(oldest.ok() && *oldest);
  EXPECT_EQ((*oldest)->path, "0");
  ASSERT_TRUE(store->forget_photo((*oldest)->slot).ok());
  EXPECT_EQ(store->photo_bytes().value(), 23);
  EXPECT_EQ((*store->oldest_photo())->path, "1");
  EXPECT_EQ(all_of(*store).size(), 3U);
}

TEST(Store, OtherDatabasesAreLeftAlone) {
  const TemporaryFolder folder;
  {
    auto other = database::Connection::open(folder / "other.db");
    ASSERT_TRUE(other.ok() && other->execute("CREATE TABLE mine (x)").ok());
  }
  EXPECT_EQ(Store::open(folder / "other.db").error().kind, Error::Kind::kFormat);
  EXPECT_EQ(Store::open(folder / "other.db", database::Access::kReadOnly).error().kind, Error::Kind::kFormat);
  { ASSERT_TRUE(Store::open(folder / "w.db")->connection().set_version(99).ok()); }
  EXPECT_EQ(Store::open(folder / "w.db").error().kind, Error::Kind::kUnsupported);
}

TEST(Store, TheDayIsTheLocalDate) {
  const TemporaryFolder folder;
  auto store = Store::open(folder / "w.db");
  ASSERT_TRUE(store.ok());
  WatchRecord record = classified(0);
  record.time = std::chrono::sys_seconds(std::chrono::seconds(86400 * 20000 - 1800));  // half past eleven in the evening
  record.utc_offset = std::chrono::hours(1);
  ASSERT_TRUE(store->add(record, {}).ok());
  record.utc_offset = std::chrono::hours(-1);
  ASSERT_TRUE(store->add(record, {}).ok());
  auto days = store->connection().prepare("SELECT day FROM slots ORDER BY id");
  ASSERT_TRUE(days.ok() && days->step().value());
  EXPECT_EQ(days->integer(0), 20000);
  ASSERT_TRUE(days->step().value());
  EXPECT_EQ(days->integer(0), 19999);
}

}  // namespace
}  // namespace fovea::watching
