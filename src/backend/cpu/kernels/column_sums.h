// Fovea: sums over positions, for every channel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/target.h"
#include "core/context.h"

namespace fovea::cpu {

/// y (C) += sum of x (rows, C) over its rows; with `first` y starts at zero.
using SumRowsKernel = void(const float* x, std::int64_t rows, std::int64_t channels, float* y, bool first);
[[nodiscard]] SumRowsKernel* sum_rows(Target target);

/// The same by a fixed number of parts, whatever the threads.
class ColumnSums {
 public:
  ColumnSums(Target target, const Context& context, std::int64_t rows, std::int64_t channels);

  [[nodiscard]] std::size_t scratch_bytes() const;
  void run(const float* x, float* y, float* scratch) const;

 private:
  Context context_;
  std::int64_t rows_;
  std::int64_t channels_;
  std::int64_t parts_;
  SumRowsKernel* sum_rows_;
};

}  // namespace fovea::cpu
