// Fovea: the directions in which rows of numbers are longest.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.h"

namespace fovea::training {

/// The largest eigenpairs of X'X / rows.
struct PrincipalDirections {
  std::vector<float> basis;         ///< (width, rank): orthonormal columns, largest first but for near ties; zero beyond X's rank
  std::vector<double> eigenvalues;  ///< (rank)
};

/// By subspace iteration from a fixed start: close for directions that stand out, and an even mixture of those that do not. X
/// (rows, width) row-major; `rank` a multiple of kColumnMultiple.
[[nodiscard]] PrincipalDirections principal_directions(const Context& context, std::span<const float> x, std::int64_t rows,
                                                       std::int64_t width, std::int64_t rank, int iterations = 3);

/// (rows, columns) -> (columns, rows).
[[nodiscard]] std::vector<float> transposed(std::span<const float> matrix, std::int64_t rows);

}  // namespace fovea::training
