// SPDX-License-Identifier: Apache-2.0
#include "watch/summary.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "support/paths.h"
#include "support/process.h"
#include "watch/page.h"
#include "watch/page_figures.h"
#include "watch/pictures.h"

namespace fovea::watching {
namespace {

using namespace std::chrono;
using test::TemporaryFolder;

constexpr std::string_view kNasty = R"(<b>"cloud", & co</b>)";

/// Three days at the turn of a month, in a place one hour ahead of UTC.
class SummaryTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(folder / "sky.db");
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store.emplace(std::move(*opened));
    for (int i = 0; i < 6; ++i) add(classified(0, "clear"), 2026y / September / 30, 10 + i);
    for (int i = 0; i < 3; ++i) add(classified(0, std::string(kNasty)), 2026y / September / 30, 16 + i);
    WatchRecord night = fault(0, "");
    night.state = SlotState::kNight;
    add(night, 2026y / September / 30, 23);  // 23:00 UTC: already the next day there
    add(fault(0, "unplugged <now>"), 2026y / October / 1, 8);
    WatchRecord unknown = classified(0, "clear");
    unknown.rejected = true;
    add(unknown, 2026y / October / 1, 9);
    add(classified(0, "clear", 0.7), 2026y / October / 2, 9);
    const sys_seconds noon = sys_days(2026y / October / 1) + 12h;
    ASSERT_TRUE(store->add(WatchGap{noon, noon + 20min, 3, "late"}).ok());
  }

  void add(WatchRecord record, year_month_day date, int hour) {
    record.time = sys_days(date) + hours(hour);
    record.utc_offset = 1h;
    const Kept kept{0, picture_of(112, 84, 120)};
    ASSERT_TRUE(store->add(record, record.state == SlotState::kClassified ? kept : Kept{}).ok());
  }

  TemporaryFolder folder;
  std::optional<Store> store;
};

TEST_F(SummaryTest, DaysAreLocalDates) {
  const std::vector<Summary> all = days_of(*store).value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].first, sys_days(2026y / September / 30));
  EXPECT_EQ(all[0].classes.at("clear"), 6);
  EXPECT_EQ(all[0].night, 0);
  EXPECT_EQ(all[0].top(), "clear");
  EXPECT_DOUBLE_EQ(all[0].share("clear"), 6.0 / 9);
  EXPECT_EQ(all[1].night, 1);
  EXPECT_EQ(all[1].faults, 1);
  EXPECT_EQ(all[1].unknown, 1);
  EXPECT_EQ(all[1].missed, 3);
  EXPECT_EQ(all[1].classified(), 0);
  EXPECT_EQ(all[1].top(), "");
  EXPECT_EQ(counts_text(all[1]), "1 unknown, 1 at night, 1 without a picture, 3 missed");
}

TEST_F(SummaryTest, MonthsAddUpTheirDays) {
  const std::vector<Summary> months = months_of(days_of(*store).value());
  ASSERT_EQ(months.size(), 2U);
  EXPECT_EQ(months[0].first, sys_days(2026y / September / 1));
  EXPECT_EQ(months[0].classified(), 9);
  EXPECT_EQ(months[1].classes.at("clear"), 1);
  EXPECT_EQ(months[1].missed, 3);
}

TEST_F(SummaryTest, ThePageNeedsNothingElseAndEscapesNames) {
  ASSERT_TRUE(write_watch_page(folder / "sky.db", folder / "sky.html").ok());
  const auto bytes = read_file(folder / "sky.html", 1 << 22).value();
  const std::string html(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_EQ(html.find("<b>\"cloud"), std::string::npos);
  EXPECT_NE(html.find("&lt;b&gt;"), std::string::npos);
  EXPECT_NE(html.find("unplugged &lt;now&gt;"), std::string::npos);
  EXPECT_EQ(html.find("http://"), std::string::npos);
  EXPECT_EQ(html.find("https://"), std::string::npos);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("2026-10-02"), std::string::npos);
  EXPECT_NE(html.find("data:image/jpeg;base64,"), std::string::npos);
}

TEST_F(SummaryTest, TheStripShowsTheNewestDayAndItsPictures) {
  const PageData data = read_page_data(*store, "sky").value();
  EXPECT_EQ(data.today, sys_days(2026y / October / 2));
  ASSERT_EQ(data.strip.size(), 1U);
  EXPECT_EQ(data.strip[0].label, "clear");
  EXPECT_EQ(data.strip[0].probability, 0.7);
  EXPECT_FALSE(data.strip[0].thumbnail.empty());
  EXPECT_EQ(data.classes, (std::vector<std::string>{"clear", std::string(kNasty)}));
  ASSERT_EQ(data.troubles.size(), 2U);
  EXPECT_EQ(data.troubles[0].text, "missed 3: late");
}

TEST_F(SummaryTest, TheTableHasALineForEachRecord) {
  ASSERT_TRUE(write_watch_csv(folder / "sky.db", folder / "sky.csv").ok());
  const auto bytes = read_file(folder / "sky.csv", 1 << 20).value();
  const auto lines = test::lines_of(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  ASSERT_EQ(lines.size(), 1U + 13);
  EXPECT_EQ(lines[0], "time,local,state,class,probability,rejected,sun,fault,photo,\"<b>\"\"cloud\"\", & co</b>\",clear,other\r");
  EXPECT_EQ(lines[1], "2026-09-30T10:00:00Z,2026-09-30 11:00:00,classified,clear,0.9,0,12.50,,,,0.9,0.1\r");
  EXPECT_EQ(lines[10], "2026-09-30T23:00:00Z,2026-10-01 00:00:00,night,,,,,,,,,\r");
}

TEST(Page, WithoutARecordThereIsNone) {
  const TemporaryFolder folder;
  { ASSERT_TRUE(Store::open(folder / "w.db").ok()); }
  EXPECT_EQ(write_watch_page(folder / "w.db", folder / "w.html").error().kind, Error::Kind::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder / "w.html"));
}

}  // namespace
}  // namespace fovea::watching
