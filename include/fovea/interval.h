// Fovea: between which values a measured figure lies.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace fovea {

struct Interval {
  double low = 0.0;
  double high = 1.0;
};

}  // namespace fovea
