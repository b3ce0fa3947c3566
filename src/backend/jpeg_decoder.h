// Fovea: JPEG files decoded where a backend computes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "fovea/result.h"

namespace fovea {

struct JpegSize {
  int width = 0;
  int height = 0;
};

/// How a picture is resampled, in the numbers of PictureAxis (backend/pictures.h): `stride` of them for each column and each row
/// of `size`.
struct JpegResampling {
  JpegSize size;
  int column_stride = 0, row_stride = 0;
  std::span<const std::int32_t> columns, rows;
  bool down_first = false;
};

/// Threads may call it at once; each then waits for its own photo alone.
class JpegDecoder {
 public:
  JpegDecoder() = default;
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  virtual ~JpegDecoder() = default;

  /// "nvJPEG 13.0": other names may mean other pixels.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The picture's size as it is stored. kUnsupported, and why, of what it does not take: always so of the same file.
  virtual Result<JpegSize> size_of(std::span<const std::byte> file) = 0;
  /// Pixels (height, width, 3) of `resampling`, of a file whose size is `size`. kUnsupported as above, where only decoding shows
  /// it; what has nothing to do with the file is a DeviceFailure.
  virtual Result<std::vector<std::uint8_t>> decode(std::span<const std::byte> file, JpegSize size,
                                                   const JpegResampling& resampling) = 0;
};

}  // namespace fovea
