// SPDX-License-Identifier: Apache-2.0
#include "data/csv.h"

#include <gmock/gmock.h>

namespace fovea {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Csv, ReadsQuotesLineEndsAndTheByteOrderMark) {
  const auto rows = parse_csv("\xEF\xBB\xBFpath,label\r\n\"a,\"\"1\"\".jpg\",cat\r\n\r\n\"two\nlines\",\nlast,\"\"");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->size(), 4U);
  EXPECT_THAT((*rows)[0].fields, ElementsAre("path", "label"));
  EXPECT_THAT((*rows)[1].fields, ElementsAre("a,\"1\".jpg", "cat"));
  EXPECT_THAT((*rows)[2].fields, ElementsAre("two\nlines", ""));
  EXPECT_THAT((*rows)[3].fields, ElementsAre("last", ""));
}

TEST(Csv, CountsLinesAsAnEditorDoes) {
  const auto rows = parse_csv("a\n\n\"b\n\n\"\nc\r\n");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ((*rows)[0].line, 1);
  EXPECT_EQ((*rows)[1].line, 3);
  EXPECT_EQ((*rows)[2].line, 6);
}

TEST(Csv, ErrorsNameTheLine) {
  const auto message = [](std::string_view text) {
    const auto rows = parse_csv(text);
    return rows.ok() ? std::string("accepted") : rows.error().message;
  };
  EXPECT_THAT(message("a,b\n\"open,c\nd,e\n"), HasSubstr("line 2: a quote is opened"));
  EXPECT_THAT(message("a,b\nx\"y,c\n"), HasSubstr("line 2: a quote inside"));
  EXPECT_THAT(message("a,b\n\"x\"y,c\n"), HasSubstr("line 2: text after a closing quote"));
  EXPECT_THAT(message(std::string_view("\xFF\xFEp\0", 4)), HasSubstr("UTF-16"));
}

TEST(Csv, KeepsWhateverBytesAFieldHolds) {
  const auto rows = parse_csv("caf\xC3\xA9 \xF0\x9F\x8C\xA4.jpg,\xE6\x9B\x87\n");
  ASSERT_TRUE(rows.ok());
  EXPECT_THAT((*rows)[0].fields, ElementsAre("caf\xC3\xA9 \xF0\x9F\x8C\xA4.jpg", "\xE6\x9B\x87"));
}

TEST(CsvField, IsQuotedWhereItMustBe) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field("a \"b\""), "\"a \"\"b\"\"\"");
}

}  // namespace
}  // namespace fovea
