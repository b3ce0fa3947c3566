// SPDX-License-Identifier: Apache-2.0
#include "image/heif_library.h"

#include <dlfcn.h>

#include <type_traits>

#include "core/error.h"

namespace fovea {
namespace {

constexpr const char* kFile = "libheif.so.1";

struct Opened {
  HeifLibrary library{};
  bool complete = false;
};

// Never closed: its codecs keep threads and thread-local data.
Opened open() {
  Opened opened;
  void* handle = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return opened;
  opened.complete = true;
  const auto find = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    opened.complete = opened.complete && function != nullptr;
  };
#define FOVEA_HEIF_FIND(name) find("heif_" #name, opened.library.name);
  FOVEA_HEIF_FUNCTIONS(FOVEA_HEIF_FIND)
#undef FOVEA_HEIF_FIND
  return opened;
}

}  // namespace

Result<const HeifLibrary*> heif_library() {
  static const Opened opened = open();
  if (opened.complete) return &opened.library;
  return fail(Error::Kind::kUnsupported,
              "needs {} (version 1.15 or later), which is not installed; install libheif1 or convert to JPEG", kFile);
}

}  // namespace fovea
