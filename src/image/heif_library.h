// Fovea: libheif, opened when the first HEIC or AVIF picture comes: its codecs take longer to load than a JPEG to decode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libheif/heif.h>

#include "core/shared_library.h"

namespace fovea {

/// The functions that are used.
#define FOVEA_HEIF_FUNCTIONS(X)                         \
  X(heif_, context_alloc)                               \
  X(heif_, context_free)                                \
  X(heif_, context_read_from_memory_without_copy)       \
  X(heif_, context_get_primary_image_handle)            \
  X(heif_, context_set_max_decoding_threads)            \
  X(heif_, image_handle_release)                        \
  X(heif_, image_handle_get_width)                      \
  X(heif_, image_handle_get_height)                     \
  X(heif_, image_handle_has_alpha_channel)              \
  X(heif_, image_handle_get_luma_bits_per_pixel)        \
  X(heif_, image_handle_get_list_of_metadata_block_IDs) \
  X(heif_, image_handle_get_metadata_type)              \
  X(heif_, image_handle_get_metadata_content_type)      \
  X(heif_, image_handle_get_metadata_size)              \
  X(heif_, image_handle_get_metadata)                   \
  X(heif_, decoding_options_alloc)                      \
  X(heif_, decoding_options_free)                       \
  X(heif_, get_decoder_descriptors)                     \
  X(heif_, decoder_descriptor_get_id_name)              \
  X(heif_, decode_image)                                \
  X(heif_, image_get_width)                             \
  X(heif_, image_get_height)                            \
  X(heif_, image_get_bits_per_pixel_range)              \
  X(heif_, image_get_plane_readonly)                    \
  X(heif_, image_release)

struct HeifLibrary {
  FOVEA_LIBRARY_FUNCTIONS(FOVEA_HEIF_FUNCTIONS)  // NOLINT(readability-identifier-naming): libheif's names
  static constexpr const char* kFile = "libheif.so.1";
  static constexpr const char* kOldest = "libheif 1.15";
  static constexpr const char* kPackage = "libheif1";
};

}  // namespace fovea
