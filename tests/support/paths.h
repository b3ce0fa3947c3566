// Fovea: where tests find their files, and a folder of their own to write in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string_view>

namespace fovea::test {

/// `relative` below the folder of shared photos and weights (CMake's FOVEA_SHARED_DIR, or the environment
/// variable of that name).
[[nodiscard]] std::filesystem::path shared_path(std::string_view relative);
/// `relative` below tests/ of the source tree.
[[nodiscard]] std::filesystem::path test_data(std::string_view relative);
/// The program that was built, for tests that run it.
[[nodiscard]] std::filesystem::path program();

/// An empty folder, removed with all its content at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace fovea::test

/// Skips the running test, by name, when shared files are not there.
#define FOVEA_NEEDS_SHARED(relative)                                \
  if (!std::filesystem::exists(fovea::test::shared_path(relative))) \
  GTEST_SKIP() << "needs " << fovea::test::shared_path(relative).string()
