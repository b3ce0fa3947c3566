// SPDX-License-Identifier: Apache-2.0
#include "watch/source.h"

#include <gtest/gtest.h>
#include <sys/types.h>

#include <csignal>
#include <fstream>
#include <future>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "support/paths.h"
#include "watch/pictures.h"

namespace fovea::watching {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;
namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

/// `path` as it is after `age` without a change.
void set_age(const fs::path& path, std::chrono::seconds age) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

TEST(CommandSource, WhatACommandPrintsIsThePicture) {
  const TemporaryFolder folder;
  const Picture picture = picture_of(300, 200, 77);
  write_picture(folder / "a.jpg", picture);
  const auto source = command_source("cat '" + (folder / "a.jpg").string() + "'");
  EXPECT_EQ(source->take(5s).value(), picture);
  EXPECT_EQ(source->take(5s).value(), picture);
}

TEST(CommandSource, FailureSilenceAndSignalsAreFaults) {
  EXPECT_NE(command_source("echo x; exit 3")->take(5s).error().message.find("status 3"), std::string::npos);
  EXPECT_NE(command_source("true")->take(5s).error().message.find("nothing"), std::string::npos);
  EXPECT_NE(command_source("kill -9 $$")->take(5s).error().message.find("signal 9"), std::string::npos);
  EXPECT_NE(command_source("no-such-program-at-all 2>/dev/null")->take(5s).error().message.find("127"), std::string::npos);
}

TEST(CommandSource, AStuckCommandIsKilledWithAllThatItStarted) {
  const TemporaryFolder folder;
  const fs::path pid = folder / "pid";
  const auto start = SteadyClock::now();
  const auto picture = command_source("sleep 60 & echo $! > '" + pid.string() + "'; wait")->take(300ms);
  EXPECT_LT(SteadyClock::now() - start, 10s);
  ASSERT_FALSE(picture.ok());
  EXPECT_NE(picture.error().message.find("300 ms"), std::string::npos) << picture.error().message;
  pid_t child = 0;
  std::ifstream(pid) >> child;
  ASSERT_GT(child, 0);
  // Gone, or dead and waiting for the system to collect it.
  for (int i = 0; i < 500 && ::kill(child, 0) == 0; ++i) {
    std::string line;
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    if (std::getline(status, line) && line.find(") Z") != std::string::npos) return;
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_NE(::kill(child, 0), 0);
}

TEST(CommandSource, EndlessOutputIsCutOff) {
  const auto picture = command_source("cat /dev/zero")->take(60s);
  ASSERT_FALSE(picture.ok());
  EXPECT_EQ(picture.error().kind, Error::Kind::kLimit);
}

TEST(FolderSource, GivesTheNewestPhotoOnce) {
  const TemporaryFolder folder;
  const Picture old = picture_of(20, 20, 1);
  const Picture young = picture_of(20, 20, 200);
  write_picture(folder / "z-old.jpg", old);
  write_picture(folder / "a-new.jpg", young);
  set_age(folder / "z-old.jpg", 100s);
  set_age(folder / "a-new.jpg", 50s);
  std::ofstream(folder / "notes.txt") << "no photo";
  const auto source = folder_source(folder.path());
  EXPECT_EQ(source->take(5s).value(), young);
  const auto again = source->take(5s);
  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.error().message.find("a-new.jpg"), std::string::npos) << again.error().message;
  write_picture(folder / "b.jpg", old);
  set_age(folder / "b.jpg", 10s);
  EXPECT_EQ(source->take(5s).value(), old);
  // The same name with new content, as cameras do that write one file again and again.
  write_picture(folder / "b.jpg", young);
  set_age(folder / "b.jpg", 5s);
  EXPECT_EQ(source->take(5s).value(), young);
}

TEST(FolderSource, AFileThatIsBeingWrittenIsWaitedFor) {
  const TemporaryFolder folder;
  const Picture picture = picture_of(400, 300, 60);
  const fs::path path = folder / "a.jpg";
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(picture.data()), 100);
  const auto source = folder_source(folder.path(), 200ms);
  auto taken = std::async(std::launch::async, [&] { return source->take(20s); });
  std::this_thread::sleep_for(50ms);
  write_picture(path, picture);
  EXPECT_EQ(taken.get().value(), picture);
}

TEST(FolderSource, AnOldPhotoIsAFaultWhereItsAgeMatters) {
  const TemporaryFolder folder;
  write_picture(folder / "a.jpg", picture_of(9, 9, 9));
  set_age(folder / "a.jpg", 3600s);
  const auto old = folder_source(folder.path(), 10ms, 1200s)->take(5s);
  ASSERT_FALSE(old.ok());
  EXPECT_NE(old.error().message.find("60 min old"), std::string::npos) << old.error().message;
  EXPECT_TRUE(folder_source(folder.path(), 10ms)->take(5s).ok());
}

TEST(FolderSource, AnEmptyOrVanishedFolderIsAFault) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "in");
  const auto source = folder_source(folder / "in");
  EXPECT_FALSE(source->take(5s).ok());
  fs::remove(folder / "in");
  const auto gone = source->take(5s);
  EXPECT_EQ(gone.error().kind, Error::Kind::kNotFound);
  fs::create_directory(folder / "in");
  write_picture(folder / "in/a.jpg", picture_of(9, 9, 9));
  set_age(folder / "in/a.jpg", 10s);
  EXPECT_TRUE(source->take(5s).ok());
}

/// Hangs until told otherwise.
class HangingSource final : public Source {
 public:
  explicit HangingSource(std::shared_future<void> free) : free_(std::move(free)) {}
  Result<Picture> take(std::chrono::milliseconds /*limit*/) override {
    free_.wait();
    return Picture{std::byte{1}};
  }

 private:
  std::shared_future<void> free_;
};

TEST(LimitedSource, ASourceThatHangsDoesNotHangTheCaller) {
  std::promise<void> free;
  const auto source = limited_source(std::make_unique<HangingSource>(free.get_future().share()));
  EXPECT_FALSE(source->take(20ms).ok());
  const auto second = source->take(20ms);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("earlier"), std::string::npos) << second.error().message;
  free.set_value();
  EXPECT_TRUE(source->take(10s).ok());
}

TEST(LimitedSource, OneThatHangsForEverCanBeLeft) {
  std::promise<void> free;
  EXPECT_FALSE(limited_source(std::make_unique<HangingSource>(free.get_future().share()))->take(5ms).ok());
  free.set_value();
}

TEST(OpenSource, RefusesWhatMakesNoSense) {
  const TemporaryFolder folder;
  write_picture(folder / "a.jpg", picture_of(9, 9, 9));
  EXPECT_TRUE(open_source(folder.path().string()).ok());
  EXPECT_TRUE(open_source("command:cat a.jpg").ok());
  EXPECT_EQ(open_source("command: ").error().kind, Error::Kind::kUsage);
  EXPECT_EQ(open_source((folder / "a.jpg").string()).error().kind, Error::Kind::kUsage);
  EXPECT_EQ(open_source("/no/such/camera").error().kind, Error::Kind::kNotFound);
}

}  // namespace
}  // namespace fovea::watching
