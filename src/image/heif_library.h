// Fovea: libheif, opened when the first HEIC or AVIF picture comes: its codecs take longer to load than a JPEG to decode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libheif/heif.h>

#include "fovea/result.h"

namespace fovea {

/// The functions that are used, without their prefix `heif_`.
#define FOVEA_HEIF_FUNCTIONS(X)                  \
  X(context_alloc)                               \
  X(context_free)                                \
  X(context_read_from_memory_without_copy)       \
  X(context_get_primary_image_handle)            \
  X(context_set_max_decoding_threads)            \
  X(image_handle_release)                        \
  X(image_handle_get_width)                      \
  X(image_handle_get_height)                     \
  X(image_handle_has_alpha_channel)              \
  X(image_handle_get_luma_bits_per_pixel)        \
  X(image_handle_get_list_of_metadata_block_IDs) \
  X(image_handle_get_metadata_type)              \
  X(image_handle_get_metadata_content_type)      \
  X(image_handle_get_metadata_size)              \
  X(image_handle_get_metadata)                   \
  X(decoding_options_alloc)                      \
  X(decoding_options_free)                       \
  X(get_decoder_descriptors)                     \
  X(decoder_descriptor_get_id_name)              \
  X(decode_image)                                \
  X(image_get_width)                             \
  X(image_get_height)                            \
  X(image_get_bits_per_pixel_range)              \
  X(image_get_plane_readonly)                    \
  X(image_release)

/// Each of them under its short name.
struct HeifLibrary {
#define FOVEA_HEIF_MEMBER(name) decltype(&heif_##name) name = nullptr;
  FOVEA_HEIF_FUNCTIONS(FOVEA_HEIF_MEMBER)  // NOLINT(readability-identifier-naming): libheif's names
#undef FOVEA_HEIF_MEMBER
};

/// Opened once per process, safe with threads. kUnsupported, with what to install, when it is not there.
Result<const HeifLibrary*> heif_library();

}  // namespace fovea
