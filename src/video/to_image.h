// Fovea: a decoded frame as upright RGB.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fovea/result.h"
#include "fovea/yuv_frame.h"
#include "image/image.h"
#include "video/ffmpeg.h"

namespace fovea::video {

/// What the frame says of its colours; where it says nothing, what players take: BT.709 from 720 rows on.
[[nodiscard]] YuvMatrix matrix_of(const AVFrame& frame);
[[nodiscard]] bool is_full_range(const AVFrame& frame);

/// Keeps what it needs from one frame to the next; frames may change size and format on the way.
class ToImage {
 public:
  /// By the frame's own colour matrix and range; chroma is interpolated, or repeated when `fast`. `orientation`: Exif, 1 to 8.
  Result<Image> operator()(const AVFrame& frame, int orientation, bool fast = false);

 private:
  Scaler scaler_;
};

}  // namespace fovea::video
