// Fovea: sums of products that no compiler may fuse: the host rounds each product, and levels are cut where one bit decides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/launch.h"

namespace fovea::cuda {

FOVEA_INLINE float product(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}
FOVEA_INLINE double product(double a, double b) {
#if defined(__CUDA_ARCH__)
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

}  // namespace fovea::cuda
