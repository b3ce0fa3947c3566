// SPDX-License-Identifier: Apache-2.0
#include "fovea/named_folders.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "support/paths.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

class Folders : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(root_);
    std::ofstream(photo_) << "photo";
    fs::create_symlink("/proc/self/mem", failing_);  // opens, and gives EIO when it is read
  }
  test::TemporaryFolder folder_;
  fs::path root_ = folder_ / "photos";
  fs::path photo_ = root_ / "1.jpg";
  fs::path failing_ = root_ / "2.jpg";
};

TEST_F(Folders, AreLostWhenTheyAreGoneAndNotForTheSakeOfAPhoto) {
  NamedFolders folders(std::array{root_});
  folders.tell(root_ / "absent.jpg", false);
  folders.tell(photo_, false);
  EXPECT_FALSE(folders.lost());
  fs::rename(root_, folder_ / "elsewhere");
  EXPECT_FALSE(folders.lost());
  folders.tell(photo_, false);
  ASSERT_TRUE(folders.lost());
  EXPECT_EQ(folders.stopped(": go on later").message, root_.string() + ": No such file or directory; stopped: go on later");
}

TEST_F(Folders, AreLostAfterEightPhotosInARowWhoseBytesCannotBeHad) {
  NamedFolders folders(std::array{root_});
  for (int round = 0; round < 2; ++round) {
    for (int n = 0; n < 7; ++n) folders.tell(failing_, false);
    EXPECT_FALSE(folders.lost());
    folders.tell(photo_, round == 0);  // read, or damaged: either way the drive gives its bytes
  }
  for (int n = 0; n < 8; ++n) folders.tell(failing_, false);
  ASSERT_TRUE(folders.lost());
  EXPECT_EQ(folders.why(), root_.string() + ": 8 photos one after another cannot be read (Input/output error)");
}

TEST_F(Folders, OfFilesAreNotLookedAt) {
  NamedFolders folders(std::array{photo_});
  fs::remove(photo_);
  folders.tell(photo_, false);
  EXPECT_FALSE(folders.lost());
}

}  // namespace
}  // namespace fovea
