// Fovea: the softmax of one row.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/target.h"

namespace fovea::cpu {

/// What the logarithm of a probability is made of: log p = x - largest - log(sum).
struct SoftmaxTerms {
  float largest;
  float sum;
};
/// p = softmax(x) over `count` floats, at least 1. p may be x.
using SoftmaxKernel = SoftmaxTerms(const float* x, float* p, std::int64_t count);
[[nodiscard]] SoftmaxKernel* softmax_row(Target target);

}  // namespace fovea::cpu
