// Fovea: which numbers GPUs multiply fast: what a backend has where there is a GPU, and what is estimated where there is none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/ops.h"

namespace fovea {

/// The least compute capability whose tensor units multiply such numbers; 0: every GPU multiplies them.
[[nodiscard]] constexpr double least_capability(graph::Precision precision) {
  switch (precision) {
    case graph::Precision::kF32: return 0;
    case graph::Precision::kFP16: return 7.5;
    case graph::Precision::kTF32:
    case graph::Precision::kBF16: break;
  }
  return 8.0;
}

}  // namespace fovea
