// Fovea: the few functions and numbers of NVIDIA's nvJPEG that are used, by its documented C interface.
// SPDX-License-Identifier: Apache-2.0
//
// https://docs.nvidia.com/cuda/nvjpeg/. The library is opened at run time, so that neither building nor running needs it.
#pragma once

#include <cstddef>

#include "backend/cuda/stream.h"

namespace fovea::cuda::nvjpeg {

enum Status : int {
  kSuccess = 0,
  kNotInitialized = 1,
  kInvalidParameter = 2,
  kBadJpeg = 3,
  kJpegNotSupported = 4,
  kAllocatorFailure = 5,
  kExecutionFailed = 6,
  kArchMismatch = 7,
  kInternalError = 8,
  kImplementationNotSupported = 9,
  kIncompleteBitstream = 10,
};

inline constexpr int kUnknownSubsampling = -1;
inline constexpr int kRgbInterleaved = 5;  ///< an output format: (height, width, 3), `pitch` bytes a row
inline constexpr int kMajorVersion = 0, kMinorVersion = 1;
inline constexpr int kMostComponents = 4;

struct Image {
  unsigned char* channel[kMostComponents];
  std::size_t pitch[kMostComponents];
};

using Handle = struct OpaqueHandle*;
using State = struct OpaqueState*;

/// Of the names that find_functions (nvjpeg_library.cpp) gives them.
struct Functions {
  Status (*get_property)(int property, int* value);
  Status (*create)(Handle* handle);
  Status (*destroy)(Handle handle);
  Status (*create_state)(Handle handle, State* state);
  Status (*destroy_state)(State state);
  /// `widths` and `heights` are of each of kMostComponents components, the first of the whole picture.
  Status (*get_image_info)(Handle handle, const unsigned char* data, std::size_t length, int* components, int* subsampling,
                           int* widths, int* heights);
  Status (*decode)(Handle handle, State state, const unsigned char* data, std::size_t length, int format, Image* destination,
                   Stream stream);
};

}  // namespace fovea::cuda::nvjpeg
