// Fovea: the taps of a sliding window.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/shape.h"
#include "graph/ops.h"

namespace fovea::reference {

/// One kernel element on one output position: output (n, h, w) meets input (n, i, j) under kernel element (r, s).
struct Tap {
  std::int64_t n, h, w, i, j;
  int r, s;
};

/// Calls body(Tap) for every tap that falls on the input `x` (N,H,W,C) and not on its padding; `y` (N,H',W',K) is the output's
/// shape.
template <class Body>
void for_each_tap(const graph::Window& window, const Shape& x, const Shape& y, const Body& body) {
  for (std::int64_t n = 0; n < y[0]; ++n) {
    for (std::int64_t h = 0; h < y[1]; ++h) {
      for (std::int64_t w = 0; w < y[2]; ++w) {
        for (int r = 0; r < window.kernel_h; ++r) {
          for (int s = 0; s < window.kernel_w; ++s) {
            const std::int64_t i = h * window.stride - window.pad.top + r;
            const std::int64_t j = w * window.stride - window.pad.left + s;
            if (i >= 0 && i < x[1] && j >= 0 && j < x[2]) body(Tap{n, h, w, i, j, r, s});
          }
        }
      }
    }
  }
}

}  // namespace fovea::reference
