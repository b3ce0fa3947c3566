// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/jpeg/nvjpeg_library.h"

#include <dlfcn.h>
#include <fmt/ranges.h>

#include <type_traits>

#include "core/error.h"

namespace fovea::cuda {
namespace {

constexpr int kOldest = 12, kNewest = 13;

/// Null where none of them can be opened; `file` is then what the last one lacked.
void* open_first(std::span<const char* const> files, std::string& file) {
  for (const char* name : files) {
    // Never unloaded, like all of CUDA's libraries.
    if (void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
      file = name;
      return library;
    }
    const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): glibc keeps one for each thread
    file = why == nullptr ? name : why;
  }
  return nullptr;
}

/// The name of a function that is missing; empty: all are there.
std::string find_all(void* library, nvjpeg::Functions& functions) {
  std::string missing;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    if (function == nullptr && missing.empty()) missing = name;
  };
  find(functions.GetProperty, "nvjpegGetProperty");
  find(functions.CreateSimple, "nvjpegCreateSimple");
  find(functions.Destroy, "nvjpegDestroy");
  find(functions.JpegStateCreate, "nvjpegJpegStateCreate");
  find(functions.JpegStateDestroy, "nvjpegJpegStateDestroy");
  find(functions.GetImageInfo, "nvjpegGetImageInfo");
  find(functions.Decode, "nvjpegDecode");
  return missing;
}

}  // namespace

Result<std::shared_ptr<const NvJpegLibrary>> NvJpegLibrary::open(std::span<const char* const> files) {
  std::string file;
  void* library = open_first(files, file);
  if (library == nullptr) {
    return fail(Error::Kind::kUnsupported,
                "decoding on the GPU needs nvJPEG, and none of {} can be opened ({}); install it, or use "
                "--decode cpu",
                fmt::join(files, ", "), printable(file));
  }
  std::shared_ptr<NvJpegLibrary> made(new NvJpegLibrary);
  if (const std::string missing = find_all(library, made->functions_); !missing.empty())
    return fail(Error::Kind::kUnsupported, "{}: it has no function {}, which nvJPEG of CUDA {} has", file, missing, kOldest);
  FOVEA_TRY(made->start(file));
  return std::shared_ptr<const NvJpegLibrary>(std::move(made));
}

Result<void> NvJpegLibrary::start(const std::string& file) {
  int major = 0, minor = 0;
  if (functions_.GetProperty(nvjpeg::kMajorVersion, &major) != nvjpeg::kSuccess ||
      functions_.GetProperty(nvjpeg::kMinorVersion, &minor) != nvjpeg::kSuccess)
    return fail(Error::Kind::kUnsupported, "{}: does not say which version of nvJPEG it is", file);
  if (major < kOldest || major > kNewest) {
    return fail(Error::Kind::kUnsupported, "{}: is nvJPEG {}.{}, expected {} or {}; install that of CUDA {}, or use --decode cpu",
                file, major, minor, kOldest, kNewest, kNewest);
  }
  if (const nvjpeg::Status status = functions_.CreateSimple(&handle_); status != nvjpeg::kSuccess) {
    handle_ = nullptr;
    return fail(Error::Kind::kUnsupported, "{}: does not start: {}", file, text_of(status));
  }
  name_ = fmt::format("nvJPEG {}.{}", major, minor);
  return {};
}

NvJpegLibrary::~NvJpegLibrary() {
  if (handle_ != nullptr) (void)functions_.Destroy(handle_);
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
