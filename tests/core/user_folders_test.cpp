// SPDX-License-Identifier: Apache-2.0
#include "core/user_folders.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

namespace fovea {
namespace {

/// The environment is as it was when the test is over.
class UserFolders : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"}) {
      const char* value = std::getenv(name);
      before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      ::unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(UserFolders, FollowTheEnvironmentWhereItIsAbsolute) {
  ::setenv("HOME", "/home/anna", 1);
  EXPECT_EQ(*user_cache_folder(), "/home/anna/.cache/fovea");
  EXPECT_EQ(*user_data_folder(), "/home/anna/.local/share/fovea");
  ::setenv("XDG_CACHE_HOME", "/fast", 1);
  ::setenv("XDG_DATA_HOME", "here", 1);
  EXPECT_EQ(*user_cache_folder(), "/fast/fovea");
  EXPECT_EQ(*user_data_folder(), "/home/anna/.local/share/fovea");
}

TEST_F(UserFolders, OfAServiceWithoutHomeAreThoseOfItsUser) {
  const passwd* user = ::getpwuid(::geteuid());
  if (user == nullptr || user->pw_dir == nullptr || *user->pw_dir != '/') GTEST_SKIP() << "this user has no home folder";
  const std::string home = user->pw_dir;
  EXPECT_EQ(*user_cache_folder(), home + (home.ends_with('/') ? "" : "/") + ".cache/fovea");
  EXPECT_EQ(*user_data_folder(), home + (home.ends_with('/') ? "" : "/") + ".local/share/fovea");
}

}  // namespace
}  // namespace fovea
