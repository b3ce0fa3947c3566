// SPDX-License-Identifier: Apache-2.0
#include "image/heif_library.h"

#include <dlfcn.h>

#include "core/error.h"

namespace fovea {
namespace {

constexpr const char* kFile = "libheif.so.1";

struct Opened {
  HeifLibrary library{};
  bool complete = false;
};

template <class Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

// Never closed: its codecs keep threads and thread-local data.
Opened open() {
  Opened opened;
  void* handle = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return opened;
  HeifLibrary& heif = opened.library;
  opened.complete =
      find(handle, "heif_context_alloc", heif.context_alloc) && find(handle, "heif_context_free", heif.context_free) &&
      find(handle, "heif_context_read_from_memory_without_copy", heif.context_read_from_memory_without_copy) &&
      find(handle, "heif_context_get_primary_image_handle", heif.context_get_primary_image_handle) &&
      find(handle, "heif_context_set_max_decoding_threads", heif.context_set_max_decoding_threads) &&
      find(handle, "heif_image_handle_release", heif.image_handle_release) &&
      find(handle, "heif_image_handle_get_width", heif.image_handle_get_width) &&
      find(handle, "heif_image_handle_get_height", heif.image_handle_get_height) &&
      find(handle, "heif_image_handle_has_alpha_channel", heif.image_handle_has_alpha_channel) &&
      find(handle, "heif_image_handle_get_luma_bits_per_pixel", heif.image_handle_get_luma_bits_per_pixel) &&
      find(handle, "heif_decoding_options_alloc", heif.decoding_options_alloc) &&
      find(handle, "heif_decoding_options_free", heif.decoding_options_free) &&
      find(handle, "heif_decode_image", heif.decode_image) && find(handle, "heif_image_get_width", heif.image_get_width) &&
      find(handle, "heif_image_get_height", heif.image_get_height) &&
      find(handle, "heif_image_get_bits_per_pixel_range", heif.image_get_bits_per_pixel_range) &&
      find(handle, "heif_image_get_plane_readonly", heif.image_get_plane_readonly) &&
      find(handle, "heif_image_release", heif.image_release);
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
