// Fovea: shared libraries, looked for by their files: which version lies where.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hardware/system_view.h"

namespace fovea::hardware {

struct LibraryNeed {
  std::string stem;     ///< "libcudnn.so"
  int major = 0;        ///< the file looked for is "libcudnn.so.9"
  std::string package;  ///< what brings it, for people
};

struct LibraryFinding {
  LibraryNeed need;
  std::filesystem::path found;                ///< empty: not there
  std::string version;                        ///< of `found`, from the name of the file itself: "9.12.0"
  std::vector<std::filesystem::path> others;  ///< of other versions
  [[nodiscard]] std::string wanted() const { return need.stem + "." + std::to_string(need.major); }
};

/// Where the loader looks: LD_LIBRARY_PATH, then where CUDA, drivers and distributions put libraries.
[[nodiscard]] std::vector<std::filesystem::path> library_folders(const SystemView& system);

[[nodiscard]] LibraryFinding find_library(const SystemView& system, const LibraryNeed& need);

}  // namespace fovea::hardware
