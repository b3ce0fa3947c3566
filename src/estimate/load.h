// Fovea: how busy other programs keep the machine while something is measured.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "estimate/cost.h"

namespace fovea::estimate {

class LoadWatch {
 public:
  LoadWatch();
  /// Share of all processors' time since it was made that others took, 0 to 1; 0 where the system does not tell.
  [[nodiscard]] double taken_by_others() const;

 private:
  double total_ = 0;  ///< seconds of all processors, idle or not
  double busy_ = 0;
  CostWatch own_;
};

}  // namespace fovea::estimate
