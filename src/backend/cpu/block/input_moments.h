// Fovea: mean and covariance of a block's input: what its batch statistics follow from after a pointwise convolution, which is
// linear, without a look at the many channels that it makes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/block_norm.h"
#include "backend/cpu/kernels/block_product.h"
#include "backend/cpu/kernels/column_sums.h"
#include "core/context.h"
#include "core/range.h"

namespace fovea::cpu::block {

class InputMoments {
 public:
  /// As BlockNormKernels::centre: x - pivot, of x as it is or rounded first.
  using Centre = void(const float* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* out);
  /// Of rows of so many channels.
  InputMoments(const Context& context, Target target, std::int64_t rows, std::int64_t channels, Centre* centre);

  [[nodiscard]] std::size_t scratch_bytes() const;
  /// mean (channels) and covariance (channels, channels), divided by `rows`, of x (rows, channels). Products are added up in
  /// floats over a few hundred rows, then in doubles, in a fixed number of parts whatever the threads.
  void run(const float* x, std::byte* scratch, double* mean, double* covariance) const;

 private:
  struct Part;
  void add_up(const float* x, const Part& part, Range rows) const;
  void join(const float* pivot, std::byte* scratch, double* mean, double* covariance) const;

  Context context_;
  std::int64_t rows_;
  std::int64_t channels_;
  std::int64_t parts_;
  std::int64_t together_;  ///< rows whose products are added up in floats
  BlockKernels products_;
  BlockNormKernels norms_;
  SumRowsKernel* sum_rows_;
  Centre* centre_;
};

}  // namespace fovea::cpu::block
