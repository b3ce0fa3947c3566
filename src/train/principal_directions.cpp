// SPDX-License-Identifier: Apache-2.0
#include "train/principal_directions.h"

#include <cmath>
#include <numeric>

#include "core/rng.h"
#include "train/matrix_product.h"

namespace fovea::training {
namespace {

/// Makes the columns of basis (rows, rank) orthonormal: modified Gram and Schmidt, twice, in double precision. A column without
/// anything of its own becomes zero.
void orthonormalize(std::vector<float>& basis, std::int64_t rows) {
  const auto rank = static_cast<std::int64_t>(basis.size()) / rows;
  const std::vector<float> by_column = transposed(basis, rows);
  std::vector<double> columns(by_column.begin(), by_column.end());  // (rank, rows): each column contiguous
  for (std::int64_t k = 0; k < rank; ++k) {
    double* column = columns.data() + k * rows;
    const double before = std::sqrt(std::inner_product(column, column + rows, column, 0.0));
    for (std::int64_t j = 0; j < 2 * k; ++j) {
      const double* other = columns.data() + (j % k) * rows;
      const double overlap = std::inner_product(column, column + rows, other, 0.0);
      for (std::int64_t r = 0; r < rows; ++r) column[r] -= overlap * other[r];
    }
    const double length = std::sqrt(std::inner_product(column, column + rows, column, 0.0));
    const double scale = length > 1e-6 * before ? 1 / length : 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      column[r] *= scale;
      basis[static_cast<std::size_t>(r * rank + k)] = static_cast<float>(column[r]);
    }
  }
}

}  // namespace

std::vector<float> transposed(std::span<const float> matrix, std::int64_t rows) {
  const auto columns = static_cast<std::int64_t>(matrix.size()) / rows;
  std::vector<float> result(matrix.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t k = 0; k < columns; ++k) {
      result[static_cast<std::size_t>(k * rows + r)] = matrix[static_cast<std::size_t>(r * columns + k)];
    }
  }
  return result;
}

PrincipalDirections principal_directions(const Context& context, std::span<const float> x, std::int64_t rows, std::int64_t width,
                                         std::int64_t rank, int iterations) {
  PrincipalDirections found{std::vector<float>(static_cast<std::size_t>(width * rank)),
                            std::vector<double>(static_cast<std::size_t>(rank))};
  Rng rng(0);  // any start will do; the same one gives the same bits
  for (float& value : found.basis) value = rng.normal();
  orthonormalize(found.basis, width);
  std::vector<float> image(static_cast<std::size_t>(rows * rank));
  for (int iteration = 0; iteration < iterations; ++iteration) {
    multiply(context, {rows, rank, width}, x, found.basis, image);
    multiply_transposed(context, {width, rank, rows}, x, image, found.basis);
    if (iteration + 1 == iterations) {
      // X'X times an orthonormal, nearly invariant basis: the lengths of its columns are nearly the eigenvalues.
      std::vector<double> squares(found.eigenvalues.size());
      for (std::size_t i = 0; i < found.basis.size(); ++i) {
        squares[i % squares.size()] += static_cast<double>(found.basis[i]) * found.basis[i];
      }
      for (std::size_t k = 0; k < squares.size(); ++k) found.eigenvalues[k] = std::sqrt(squares[k]) / static_cast<double>(rows);
    }
    orthonormalize(found.basis, width);
  }
  return found;
}

}  // namespace fovea::training
