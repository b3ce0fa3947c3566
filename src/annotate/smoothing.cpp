// SPDX-License-Identifier: Apache-2.0
#include "annotate/smoothing.h"

#include <algorithm>
#include <cmath>

namespace fovea::annotation {

std::span<const double> Smoother::add(double seconds, std::span<const double> values) {
  if (smooth_.empty() || time_constant_ <= 0) {
    smooth_.assign(values.begin(), values.end());
  } else {
    const double keep = std::exp(-std::max(0.0, seconds - last_) / time_constant_);
    for (std::size_t i = 0; i < smooth_.size(); ++i) smooth_[i] = keep * smooth_[i] + (1 - keep) * values[i];
  }
  last_ = std::max(last_, seconds);
  return smooth_;
}

}  // namespace fovea::annotation
