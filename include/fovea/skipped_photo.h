// Fovea: a photo that could not be read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace fovea {

struct SkippedPhoto {
  std::filesystem::path path;
  std::string reason;
};

}  // namespace fovea
