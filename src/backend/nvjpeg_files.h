// Fovea: by what names NVIDIA's nvJPEG is looked for: where it decodes, and where a machine is examined.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace fovea {

inline constexpr const char* kNvJpegLibrary = "libnvjpeg.so";
/// The generations whose functions Fovea calls, from the best on.
inline constexpr int kNvJpegVersions[] = {13, 12};

/// "libnvjpeg.so.13", "libnvjpeg.so.12".
[[nodiscard]] inline std::vector<std::string> nvjpeg_files() {
  std::vector<std::string> files;
  for (const int version : kNvJpegVersions) files.push_back(std::string(kNvJpegLibrary) + "." + std::to_string(version));
  return files;
}

}  // namespace fovea
