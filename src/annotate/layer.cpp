// SPDX-License-Identifier: Apache-2.0
#include "annotate/layer.h"

#include <cassert>

namespace fovea::annotation {

void lay_over(const Layer& layer, int left, int top, Image& picture) {
  assert(left >= 0 && top >= 0 && left + layer.width <= picture.width && top + layer.height <= picture.height);
  for (int y = 0; y < layer.height; ++y) {
    const std::uint32_t* from = layer.row(y);
    std::uint8_t* to = picture.row(top + y) + 3 * static_cast<std::size_t>(left);
    for (int x = 0; x < layer.width; ++x, to += 3) {
      const std::uint32_t rest = 255 - (from[x] >> 24);
      to[0] = static_cast<std::uint8_t>(((from[x] >> 16) & 255) + (to[0] * rest + 127) / 255);
      to[1] = static_cast<std::uint8_t>(((from[x] >> 8) & 255) + (to[1] * rest + 127) / 255);
      to[2] = static_cast<std::uint8_t>((from[x] & 255) + (to[2] * rest + 127) / 255);
    }
  }
}

}  // namespace fovea::annotation
