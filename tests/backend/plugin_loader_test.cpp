// What can be wrong with a plug-in is told apart, each with the file.
// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda_loader/plugin_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "support/paths.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

fs::path fake(const std::string& name) { return fs::path(FAKE_PLUGIN_FOLDER) / ("libfake_plugin_" + name + ".so"); }

std::string refusal(const fs::path& file) {
  const auto backend = open_plugin(file, 3);
  EXPECT_FALSE(backend);
  if (backend) return "";
  EXPECT_EQ(backend.error().kind, Error::Kind::kUnsupported);
  return backend.error().message;
}

TEST(PluginLoader, WhatIsNotThere) {
  const std::array<fs::path, 2> folders{"/nowhere/a", "/nowhere/b"};
  const auto backend = open_plugin_in(folders, 0);
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().message,
              AllOf(HasSubstr("libfovea_cuda.so"), HasSubstr("/nowhere/a, /nowhere/b"), HasSubstr("FOVEA_CUDA_PLUGIN")));
  EXPECT_THAT(refusal("/nowhere/c.so"), AllOf(HasSubstr("/nowhere/c.so"), HasSubstr("no such file")));
}

TEST(PluginLoader, WhatIsNoLibrary) {
  const fs::path file = fs::path(testing::TempDir()) / "text.so";
  std::ofstream(file) << "not a library";
  EXPECT_THAT(refusal(file), AllOf(HasSubstr("text.so"), HasSubstr("cannot be opened")));
  fs::remove(file);
}

TEST(PluginLoader, WhatIsAnotherLibrary) { EXPECT_THAT(refusal(fake("none")), HasSubstr("no CUDA part of Fovea")); }

TEST(PluginLoader, WhatIsOfAnotherRelease) {
  EXPECT_THAT(refusal(fake("version")), AllOf(HasSubstr("libfake_plugin_version.so"), HasSubstr("version 999")));
  EXPECT_THAT(refusal(fake("build")), AllOf(HasSubstr("Fovea 0.0.0 of another compiler"), HasSubstr("install both")));
}

TEST(PluginLoader, TheReasonOfThePluginIsTold) { EXPECT_EQ(refusal(fake("right")), "GPU 3 is a fake"); }

TEST(PluginLoader, LooksBesideTheProgramFirstAndThenInLibraryFolders) {
  const auto folders = plugin_folders("/usr/bin/fovea");
  EXPECT_EQ(folders.front(), "/usr/bin");
  EXPECT_THAT(folders, testing::Contains(fs::path("/usr/lib/fovea")));
  // A program of libexec/fovea has the same library folder.
  EXPECT_THAT(plugin_folders("/usr/libexec/fovea/fovea-media"), testing::Contains(fs::path("/usr/lib/fovea")));
}

}  // namespace
}  // namespace fovea
