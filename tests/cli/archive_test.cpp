// SPDX-License-Identifier: Apache-2.0
//
// Tagged photos as other programs read them, and the verbs as a person uses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "archive/photos.h"
#include "support/process.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ArchiveVerbs : public ArchiveTest {
 protected:
  Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--catalog", catalog_.string()});
    return run_fovea(arguments);
  }
  [[nodiscard]] std::string model() const { return (*trained_ / "model.safetensors").string(); }
  Finished tag(std::vector<std::string> flags) const {
    std::vector<std::string> arguments{"tag",         model(),        photos_.string(), "--min-probability", "0",
                                       "--map",       "a=Colour/Red", "--map",          "b=Colour/Red",      "--map",
                                       "c=Colour/Red"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run(arguments);
  }
  /// What a program says of every photo, one after the other; empty if it is not installed.
  std::string read_by(const fs::path& program, const std::vector<std::string>& flags, const std::string& suffix = "") const {
    std::string all;
    for (const char* name : {"a0.png", "a1.jpg"}) {
      std::vector<std::string> arguments{program.string()};
      arguments.insert(arguments.end(), flags.begin(), flags.end());
      arguments.push_back((photos_ / name).string() + suffix);
      all += run_program(arguments).out;
    }
    return all;
  }
};

/// In a view of the file system of its own, in which `folder` is mounted for reading alone.
Finished run_read_only(const fs::path& folder, const std::string& command) {
  const std::string mounted = "'" + folder.string() + "'";
  return run_program({"/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                      "mount --bind " + mounted + " " + mounted + " && mount -o remount,bind,ro " + mounted + " && " + command});
}

TEST_F(ArchiveVerbs, APlaceThatIsMountedForReadingAloneIsOneReason) {
  if (run_read_only(photos_, "true").status != 0) GTEST_SKIP() << "needs root, and the right to mount";
  const std::string last = " '" + photos_.string() + "' --catalog '" + catalog_.string() + "'";
  const std::string tag = program().string() + " tag '" + model() + "'" + last;
  for (const std::string& command : {tag, program().string() + " untag" + last}) {
    const Finished run = run_read_only(photos_, command);
    EXPECT_EQ(run.status, 2) << run.err;
    EXPECT_THAT(run.err, HasSubstr(photos_.string() + ": is mounted for reading alone"));
    EXPECT_EQ(std::ranges::count(run.err, '\n'), 1) << run.err;
  }
  EXPECT_EQ(run_read_only(photos_, tag + " --dry-run").status, 0);
}

TEST_F(ArchiveVerbs, ExifToolSeesTheKeywords) {
  const fs::path exiftool = "/usr/bin/exiftool";
  if (!fs::exists(exiftool)) GTEST_SKIP() << "needs " << exiftool.string();
  const std::string expected = "Red\nColour|Red\nColour/Red\n";
  const std::vector<std::string> fields{"-s3", "-XMP-dc:Subject", "-XMP-lr:HierarchicalSubject", "-XMP-digiKam:TagsList"};
  ASSERT_EQ(tag({}).status, 0);
  EXPECT_EQ(read_by(exiftool, fields, ".xmp"), expected + expected);
  ASSERT_EQ(tag({"--embed"}).status, 0);
  EXPECT_EQ(read_by(exiftool, fields), expected + expected);
  EXPECT_FALSE(fs::exists(photos_ / "a1.jpg.xmp")) << "keywords are in one place";
  EXPECT_EQ(read_by(exiftool, {"-validate", "-s3"}), "OK\nOK\n");
}

TEST_F(ArchiveVerbs, ExifToolSeesTheKeywordsInTheOlderFieldsThatAPhotoHas) {
  const fs::path exiftool = "/usr/bin/exiftool";
  if (!fs::exists(exiftool)) GTEST_SKIP() << "needs " << exiftool.string();
  const std::string photo = (photos_ / "a1.jpg").string();
  ASSERT_EQ(run_program({exiftool, "-q", "-overwrite_original", "-codedcharacterset=utf8", "-IPTC:Keywords=stra\u00DFe",
                         "-IPTCDigest=new", "-XPKeywords=sea;hill", "-Make=Acme", photo})
                .status,
            0);
  const std::string before = bytes_of(photos_ / "a1.jpg");
  ASSERT_EQ(tag({"--embed"}).status, 0);
  const std::vector<std::string> fields{exiftool, "-s3", "-IPTC:Keywords", "-XPKeywords", "-Make"};
  const auto with_photo = [&](std::vector<std::string> arguments) {
    arguments.push_back(photo);
    return run_program(arguments).out;
  };
  EXPECT_EQ(with_photo(fields),
            "stra\xC3\x9F"
            "e, Red\nsea;hill;Red\nAcme\n");
  EXPECT_EQ(with_photo({exiftool, "-s3", "-IPTCDigest"}), with_photo({exiftool, "-s3", "-CurrentIPTCDigest"}));
  EXPECT_EQ(with_photo({exiftool, "-validate", "-s3"}), "OK\n");
  ASSERT_EQ(run({"untag", photos_.string()}).status, 0);
  EXPECT_EQ(bytes_of(photos_ / "a1.jpg"), before);
}

TEST_F(ArchiveVerbs, ExempiSeesTheKeywords) {
  const fs::path exempi = "/usr/bin/exempi";
  if (!fs::exists(exempi)) GTEST_SKIP() << "needs " << exempi.string();
  ASSERT_EQ(tag({"--embed"}).status, 0);
  const std::string all = read_by(exempi, {"-x"});
  std::size_t count = 0;
  for (std::size_t at = all.find("<rdf:li>Colour|Red</rdf:li>"); at != std::string::npos;
       at = all.find("<rdf:li>Colour|Red</rdf:li>", at + 1))
    ++count;
  EXPECT_EQ(count, 4U) << "in lr:hierarchicalSubject, and in Fovea's own record, of two photos: " << all;
}

TEST_F(ArchiveVerbs, TellWhatTheyDid) {
  const Finished first = tag({});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_TRUE(first.out.empty()) << first.out;
  EXPECT_THAT(first.err, HasSubstr("9 photos: 9 tagged"));
  EXPECT_THAT(tag({}).err, HasSubstr("9 unchanged since last time"));
  const Finished found = run({"find", "colour/red", "--in", photos_.string()});
  EXPECT_EQ(found.status, 0);
  EXPECT_EQ(lines_of(found.out).size(), 9U);
  EXPECT_EQ(run({"find", "nothing of this name"}).status, 1);
  const Finished back = run({"untag", photos_.string()});
  EXPECT_EQ(back.status, 0);
  EXPECT_THAT(back.err, HasSubstr("9 sidecars deleted"));
  EXPECT_THAT(run({"untag", photos_.string()}).err, HasSubstr("nothing there"));
}

TEST_F(ArchiveVerbs, FindPrintsPathsForXargs) {
  fs::rename(photos_ / "a0.png", photos_ / "a\n0.png");
  ASSERT_EQ(tag({}).status, 0);
  const Finished found = run({"find", "--in", (photos_ / "a\n0.png").string(), "-0"});
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_EQ(found.out, (photos_ / "a\n0.png").string() + '\0');
  EXPECT_EQ(run({"find", "-0", "--json"}).status, 2);
  const Finished nowhere = run({"find", "--in", (photos_ / "absent").string()});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("absent: no such folder"));
}

TEST_F(ArchiveVerbs, ACatalogueThatHasNoPlaceIsSaid) {
  std::ofstream(folder_ / "file") << "no folder";
  const fs::path place = folder_ / "file";
  const Finished done = run_fovea({"tag", model(), photos_.string(), "--catalog", (place / "a.sqlite").string()});
  EXPECT_EQ(done.status, 2);
  EXPECT_THAT(done.err, HasSubstr(place.string() + ": cannot make the catalogue's folder: Not a directory"));
}

TEST_F(ArchiveVerbs, WrongUsageIsTwo) {
  EXPECT_EQ(tag({"--map", "cloudy"}).status, 2);
  EXPECT_EQ(tag({"--sidecar", "--embed"}).status, 2);
  EXPECT_EQ(run({"find", "a"}).status, 2) << "no catalogue yet";
  EXPECT_EQ(run({"untag", (photos_ / "mistyped").string()}).status, 2);
  EXPECT_EQ(run({"untag", photos_.string()}).status, 0) << "photos tell without a catalogue that nothing was written";
  ASSERT_EQ(tag({}).status, 0);
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{"--near", "52,13"}, {"--box", "1,2,3"}, {"--since", "yesterday"}}) {
    const Finished run = this->run({"find", "a", wrong[0], wrong[1]});
    EXPECT_EQ(run.status, 2);
    EXPECT_THAT(run.err, HasSubstr(wrong[0]));
    EXPECT_EQ(lines_of(run.err).size(), 1U) << run.err;
  }
}

}  // namespace
}  // namespace fovea::test
