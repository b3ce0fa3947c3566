// Fovea: files below a temporary folder that stand for those of a machine's kernel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "support/paths.h"

namespace fovea::test {

class MachineFiles {
 public:
  [[nodiscard]] const std::filesystem::path& root() const { return folder_.path(); }
  /// `path`: below the root.
  void file(const std::filesystem::path& path, const std::string& text) const {
    std::filesystem::create_directories((root() / path).parent_path());
    std::ofstream(root() / path) << text;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace fovea::test
