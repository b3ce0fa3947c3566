// Fovea: partial sums that parts of the work have left, made into one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/elementwise.h"
#include "core/parallel.h"

namespace fovea::cpu {

/// Adds up `count` partial sums of `size` floats, one after the other at `sums`, in that order; the first takes the total.
inline void add_up_parts(const Context& context, SumPartsKernel* sum_parts, float* sums, std::int64_t count, std::int64_t size) {
  constexpr std::int64_t kWorthAThread = 4096;
  parallel_ranges(context, size, kWorthAThread,
                  [&](Range r) { sum_parts(sums + r.begin, count, size, sums + r.begin, r.size()); });
}

}  // namespace fovea::cpu
