// SPDX-License-Identifier: Apache-2.0
#include "support/paths.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace fovea::test {

namespace fs = std::filesystem;

fs::path shared_path(std::string_view relative) {
  const char* folder = std::getenv("FOVEA_SHARED_DIR");
  return fs::path(folder != nullptr ? folder : FOVEA_SHARED_DIR) / relative;
}

fs::path test_data(std::string_view relative) {
  const char* source = std::getenv("FOVEA_SOURCE_DIR");  // of programs that run elsewhere than they were built
  return fs::path(source != nullptr ? source : FOVEA_SOURCE_DIR) / "tests" / relative;
}

fs::path program() { return fs::path(FOVEA_BINARY_DIR) / "bin" / "fovea"; }

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "fovea-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace fovea::test
