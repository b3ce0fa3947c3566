// Fovea: nvJPEG, found and opened.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backend/cuda/jpeg/nvjpeg.h"
#include "fovea/result.h"

namespace fovea::cuda {

/// One handle, which threads share; it stays open as long as this lives.
class NvJpegLibrary {
 public:
  /// The first of `files` that there is. kUnsupported, naming it, where there is none, or of another generation than those of
  /// kNvJpegVersions, or one that lacks functions or does not start.
  static Result<std::shared_ptr<const NvJpegLibrary>> open(std::span<const std::string> files);
  NvJpegLibrary(const NvJpegLibrary&) = delete;
  NvJpegLibrary& operator=(const NvJpegLibrary&) = delete;
  ~NvJpegLibrary();

  [[nodiscard]] const nvjpeg::Functions& call() const { return functions_; }
  [[nodiscard]] nvjpeg::Handle handle() const { return handle_; }
  [[nodiscard]] const std::string& name() const { return name_; }  ///< "nvJPEG 13.0"

 private:
  NvJpegLibrary() = default;
  Result<void> start(const std::string& file);

  nvjpeg::Functions functions_{};
  nvjpeg::Handle handle_ = nullptr;
  std::string name_;
};

/// For people: "nvJPEG: the file is no JPEG that it can parse".
[[nodiscard]] std::string_view text_of(nvjpeg::Status status);

}  // namespace fovea::cuda
