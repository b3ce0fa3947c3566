// SPDX-License-Identifier: Apache-2.0
#include "format/zip.h"

#include "format/builders.h"

namespace fovea {
namespace {

using test::bytes_of;
using test::raw;
using test::zip;
using test::ZipFields;
using testing::HasSubstr;

void expect_refused(const std::string& file, const char* reason) {
  const auto archive = ZipArchive::parse(bytes_of(file));
  ASSERT_FALSE(archive.ok()) << "accepted, expected: " << reason;
  EXPECT_THAT(archive.error().message, HasSubstr(reason));
  EXPECT_THAT(archive.error().message, testing::Not(HasSubstr("\n")));
}

TEST(Zip, ReadsStoredEntries) {
  const std::string file = zip({{"x/a", "first"}, {"x/ü", ""}, {"b", "last"}});
  const auto archive = ZipArchive::parse(bytes_of(file));
  ASSERT_TRUE(archive.ok()) << archive.error().message;
  EXPECT_EQ(archive->entries().size(), 3U);
  EXPECT_EQ(text_of(*archive->read("x/a")), "first");
  EXPECT_EQ(text_of(*archive->read("x/ü")), "");
  EXPECT_EQ(text_of(*archive->read("b")), "last");
  EXPECT_EQ(archive->read("x/A").error().kind, Error::Kind::kNotFound);
}

TEST(Zip, AnEmptyArchiveAndOneWithACommentAreArchives) {
  EXPECT_TRUE(ZipArchive::parse(bytes_of(zip({}))).ok());
  std::string file = zip({{"a", "1"}});
  file.replace(file.size() - 2, 2, raw(std::uint16_t{5}));
  EXPECT_TRUE(ZipArchive::parse(bytes_of(file + "hello")).ok());
  EXPECT_FALSE(ZipArchive::parse(bytes_of(file + "hell")).ok());
}

TEST(Zip, SizesOf64BitsComeFromTheExtraField) {
  const std::string file = zip({{"a", "12345"}}, [](ZipFields& fields) {
    fields.extra = raw(std::uint32_t{0xBEEF}) + raw(std::uint16_t{1}) + raw(std::uint16_t{16}) + raw(std::uint64_t{5}) +
                   raw(std::uint64_t{5});
    fields.size = fields.packed_size = 0xFFFFFFFF;
  });
  const auto archive = ZipArchive::parse(bytes_of(file));
  ASSERT_TRUE(archive.ok()) << archive.error().message;
  EXPECT_EQ(text_of(*archive->read("a")), "12345");
}

TEST(ZipRefuses, A64BitSizeThatIsMissingCutOrHuge) {
  const auto with = [](const std::string& extra) {
    return zip({{"a", "12345"}}, [&](ZipFields& fields) {
      fields.extra = extra;
      fields.size = fields.packed_size = 0xFFFFFFFF;
    });
  };
  const std::string head = raw(std::uint16_t{1});
  expect_refused(with(""), "missing");
  expect_refused(with(head + raw(std::uint16_t{8}) + raw(std::uint64_t{5})), "cut");
  expect_refused(with(head + raw(std::uint16_t{99}) + raw(std::uint64_t{5})), "missing");
  expect_refused(with(head + raw(std::uint16_t{16}) + raw(~std::uint64_t{0}) + raw(~std::uint64_t{0})), "outside");
}

TEST(ZipRefuses, CompressedEntriesAndBombs) {
  const std::string file = zip({{"a", "12345"}}, [](ZipFields& fields) {
    fields.method = 8;
    fields.size = 0xFFFFFFF0;
  });
  const auto archive = ZipArchive::parse(bytes_of(file));
  ASSERT_TRUE(archive.ok()) << archive.error().message;
  EXPECT_EQ(archive->read("a").error().kind, Error::Kind::kUnsupported);
  EXPECT_THAT(archive->read("a").error().message, HasSubstr("'a': compressed (method 8)"));
  expect_refused(zip({{"a", "12345"}}, [](ZipFields& fields) { fields.size = 1000; }), "5 bytes become 1000");
}

TEST(ZipRefuses, EncryptedEntries) {
  expect_refused(zip({{"a", "1"}}, [](ZipFields& fields) { fields.flags = 1; }), "encrypted");
}

TEST(ZipRefuses, NamesThatClimbOutOfTheArchive) {
  for (const char* name : {"../a", "x/../../a", "/etc/passwd", "x/..", "..", ".", "x/./a", "a\\b", "C:\\a", "", "a\nb", "\xff"}) {
    expect_refused(zip({{name, "1"}}), "not a plain relative name");
  }
  EXPECT_TRUE(ZipArchive::parse(bytes_of(zip({{"x/..a", "1"}, {"a..", "1"}, {"x/.data/id", "1"}}))).ok());
}

TEST(ZipRefuses, TwoEntriesOfOneName) { expect_refused(zip({{"a", "1"}, {"a", "2"}}), "two entries"); }

TEST(ZipRefuses, EntriesThatOverlap) {
  // Both names in the directory lead to the same local header.
  const std::string same = zip({{"a", "12345"}, {"b", "12345"}}, [](ZipFields& fields) {
    fields.local_name = "a";
    fields.local_offset = 0;
  });
  EXPECT_FALSE(ZipArchive::parse(bytes_of(same)).ok());
  // An entry whose data holds the whole of another entry.
  const std::string inner =
      raw(std::uint32_t{0x04034B50}) + std::string(22, '\0') + raw(std::uint16_t{1}) + raw(std::uint16_t{0}) + "b";
  const std::string nested = zip({{"a", inner}, {"b", ""}}, [](ZipFields& fields) {
    if (fields.name == "b") fields.local_offset = 31;
  });
  expect_refused(nested, "overlap");
}

TEST(ZipRefuses, EntriesOutsideTheFile) {
  expect_refused(zip({{"a", "1"}}, [](ZipFields& fields) { fields.local_offset = 0xFFFFFFF0; }), "outside");
  expect_refused(zip({{"a", "1"}}, [](ZipFields& fields) { fields.size = fields.packed_size = 1000; }), "outside");
  expect_refused(zip({{"a", "1"}}, [](ZipFields& fields) { fields.size = fields.packed_size = 2; }), "outside");
  expect_refused(zip({{"a", "1"}}, [](ZipFields& fields) { fields.local_offset = 1; }), "disagrees");
  expect_refused(zip({{"a", "1"}}, [](ZipFields& fields) { fields.name = "b"; }), "disagrees");
}

TEST(ZipRefuses, DirectoriesThatLie) {
  const std::string file = zip({{"a", "1"}, {"b", "2"}});
  const auto patched = [&](std::size_t from_end, const std::string& bytes) {
    std::string changed = file;
    return changed.replace(changed.size() - from_end, bytes.size(), bytes);
  };
  expect_refused(patched(12, raw(std::uint16_t{1})), "several disks");
  expect_refused(patched(14, raw(std::uint16_t{1}) + raw(std::uint16_t{1})), "belong to no entry");
  expect_refused(patched(14, raw(std::uint16_t{3}) + raw(std::uint16_t{3})), "entries in a directory");
  expect_refused(patched(10, raw(std::uint32_t{0})), "does not end");
  expect_refused(patched(6, raw(std::uint32_t{0xFFFFFFFF})), "does not end");
  const auto end = file.substr(file.size() - 22);
  const std::string locator =
      raw(std::uint32_t{0x07064B50}) + raw(std::uint32_t{0}) + raw(std::uint64_t{1} << 60) + raw(std::uint32_t{1});
  expect_refused(file.substr(0, file.size() - 22) + locator + end, "64-bit end record");
}

TEST(ZipRefuses, DamagedDataWhenItIsRead) {
  std::string file = zip({{"a", "12345"}});
  file[33] ^= 1;
  const auto archive = ZipArchive::parse(bytes_of(file));
  ASSERT_TRUE(archive.ok());
  EXPECT_THAT(archive->read("a").error().message, testing::AllOf(HasSubstr("'a'"), HasSubstr("checksum")));
}

}  // namespace
}  // namespace fovea
