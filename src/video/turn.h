// Fovea: a frame turned in its own colours, as phones that were held upright want it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "fovea/yuv_frame.h"

namespace fovea::video {

struct TurnedFrame {
  YuvFrame view;
  std::shared_ptr<const void> owner;  ///< of the planes' memory
};

/// `orientation`: 3, 6 or 8, as Exif says it. Only even sizes, so that each difference of colour keeps its four pixels.
[[nodiscard]] bool can_turn(const YuvFrame& frame, int orientation);
[[nodiscard]] TurnedFrame turned(const YuvFrame& frame, int orientation);

}  // namespace fovea::video
