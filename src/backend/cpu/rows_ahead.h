// Fovea: rows of a tensor as memory that is needed soon.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/bf16/ahead.h"
#include "core/buffer.h"
#include "core/range.h"

namespace fovea::cpu {

/// Of rows of `numbers` numbers each; not spread over steps yet.
[[nodiscard]] inline bf16::Ahead rows_ahead(const TensorView& tensor, Range rows, std::int64_t numbers) {
  const std::int64_t row = numbers * static_cast<std::int64_t>(size_of(tensor.dtype));
  return {tensor.data + rows.begin * row, tensor.data + rows.end * row, 0};
}

}  // namespace fovea::cpu
