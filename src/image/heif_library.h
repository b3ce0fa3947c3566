// Fovea: libheif, opened when the first HEIC or AVIF picture comes: its codecs take longer to load than a JPEG to decode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libheif/heif.h>

#include "fovea/result.h"

namespace fovea {

/// The functions that are used, each under its own name without the prefix `heif_`.
struct HeifLibrary {
  decltype(&heif_context_alloc) context_alloc;
  decltype(&heif_context_free) context_free;
  decltype(&heif_context_read_from_memory_without_copy) context_read_from_memory_without_copy;
  decltype(&heif_context_get_primary_image_handle) context_get_primary_image_handle;
  decltype(&heif_context_set_max_decoding_threads) context_set_max_decoding_threads;
  decltype(&heif_image_handle_release) image_handle_release;
  decltype(&heif_image_handle_get_width) image_handle_get_width;
  decltype(&heif_image_handle_get_height) image_handle_get_height;
  decltype(&heif_image_handle_has_alpha_channel) image_handle_has_alpha_channel;
  decltype(&heif_image_handle_get_luma_bits_per_pixel) image_handle_get_luma_bits_per_pixel;
  decltype(&heif_decoding_options_alloc) decoding_options_alloc;
  decltype(&heif_decoding_options_free) decoding_options_free;
  decltype(&heif_decode_image) decode_image;
  decltype(&heif_image_get_width) image_get_width;
  decltype(&heif_image_get_height) image_get_height;
  decltype(&heif_image_get_bits_per_pixel_range) image_get_bits_per_pixel_range;
  decltype(&heif_image_get_plane_readonly) image_get_plane_readonly;
  decltype(&heif_image_release) image_release;
};

/// Opened once per process, safe with threads. kUnsupported, with what to install, when it is not there.
Result<const HeifLibrary*> heif_library();

}  // namespace fovea
