// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/jpeg/nvjpeg_library.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "backend/nvjpeg_files.h"
#include "core/error.h"
#include "core/shared_library.h"

namespace fovea::cuda {
namespace {

constexpr int kOldest = std::ranges::min(kNvJpegVersions), kNewest = std::ranges::max(kNvJpegVersions);

Result<void> find_functions(const SharedLibrary& library, nvjpeg::Functions& functions) {
  FunctionFinder find(library);
  find(functions.get_property, "nvjpegGetProperty");
  find(functions.create, "nvjpegCreateSimple");
  find(functions.destroy, "nvjpegDestroy");
  find(functions.create_state, "nvjpegJpegStateCreate");
  find(functions.destroy_state, "nvjpegJpegStateDestroy");
  find(functions.get_image_info, "nvjpegGetImageInfo");
  find(functions.decode, "nvjpegDecode");
  return find.found_all(fmt::format("nvJPEG of CUDA {} has", kOldest));
}

}  // namespace

Result<std::shared_ptr<const NvJpegLibrary>> NvJpegLibrary::open(std::span<const std::string> files) {
  const auto library = SharedLibrary::open_first(files);
  if (!library) {
    return fail(Error::Kind::kUnsupported, "decoding on the GPU needs nvJPEG, one of {} ({}); install it, or use --decode cpu",
                fmt::join(files, ", "), library.error().message);
  }
  std::shared_ptr<NvJpegLibrary> made(new NvJpegLibrary);
  FOVEA_TRY(find_functions(*library, made->functions_));
  FOVEA_TRY(made->start(library->file()));
  return std::shared_ptr<const NvJpegLibrary>(std::move(made));
}

Result<void> NvJpegLibrary::start(const std::string& file) {
  int major = 0, minor = 0;
  if (functions_.get_property(nvjpeg::kMajorVersion, &major) != nvjpeg::kSuccess ||
      functions_.get_property(nvjpeg::kMinorVersion, &minor) != nvjpeg::kSuccess)
    return fail(Error::Kind::kUnsupported, "{}: does not say which version of nvJPEG it is", file);
  if (major < kOldest || major > kNewest) {
    return fail(Error::Kind::kUnsupported, "{}: is nvJPEG {}.{}, expected {} or {}; install that of CUDA {}, or use --decode cpu",
                file, major, minor, kOldest, kNewest, kNewest);
  }
  if (const nvjpeg::Status status = functions_.create(&handle_); status != nvjpeg::kSuccess) {
    handle_ = nullptr;
    return fail(Error::Kind::kUnsupported, "{}: does not start: {}", file, text_of(status));
  }
  name_ = fmt::format("nvJPEG {}.{}", major, minor);
  return {};
}

NvJpegLibrary::~NvJpegLibrary() {
  if (handle_ != nullptr) (void)functions_.destroy(handle_);
}

std::string_view text_of(nvjpeg::Status status) {
  switch (status) {
    case nvjpeg::kSuccess: return "no error";
    case nvjpeg::kNotInitialized: return "it was not started";
    case nvjpeg::kInvalidParameter: return "it was called wrongly";
    case nvjpeg::kBadJpeg: return "it cannot parse this JPEG";
    case nvjpeg::kJpegNotSupported: return "it does not take this kind of JPEG";
    case nvjpeg::kAllocatorFailure: return "it found no memory";
    case nvjpeg::kExecutionFailed: return "the GPU failed";
    case nvjpeg::kArchMismatch: return "it does not know this GPU";
    case nvjpeg::kInternalError: return "it failed inside";
    case nvjpeg::kImplementationNotSupported: return "it has no decoder for this JPEG here";
    case nvjpeg::kIncompleteBitstream: return "the JPEG ends too early";
  }
  return "it failed in a way that is not known";
}

}  // namespace fovea::cuda
