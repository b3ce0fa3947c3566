// Fovea: a layer in the colours of a video, so that frames need not become RGB to be drawn on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "annotate/layer.h"
#include "fovea/yuv_frame.h"

namespace fovea::annotation {

class YuvLayer {
 public:
  /// What is laid over a frame by lay_over() from now on. `colours`: the frame's matrix and range. A difference of colour is the
  /// mean of its four pixels.
  void set(const Layer& layer, const YuvCanvas& colours);

  /// With its corner at (left, top), even numbers; the layer must lie within the frame.
  void lay_over(int left, int top, const YuvCanvas& frame) const;

 private:
  struct Plane {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> values;  ///< premultiplied
    std::vector<std::uint8_t> rests;   ///< 255 less alpha: what is left of the frame
    void resize(int width_in, int height_in);
    [[nodiscard]] std::size_t at(int x, int y) const {
      return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
    }
  };
  void set_block(int left, int top, int right, int bottom);

  Layer layer_;  ///< that the planes show: what is the same in the next one is not computed again
  YuvMatrix matrix_{};
  bool full_range_ = false;
  std::array<Plane, 3> planes_;
};

}  // namespace fovea::annotation
