// SPDX-License-Identifier: Apache-2.0
#include "train/spectral_preconditioner.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/rng.h"
#include "train/matrix_product.h"

namespace fovea::training {
namespace {

constexpr std::int64_t kRank = SpectralPreconditioner::kRank;
constexpr int kIterations = 3;
static_assert(kRank % kColumnMultiple == 0);

std::size_t index(std::int64_t row, std::int64_t column) { return static_cast<std::size_t>(row * kRank + column); }

/// Makes the columns of basis (rows, kRank) orthonormal: modified Gram and Schmidt, twice, in double precision. A column without
/// anything of its own becomes zero.
void orthonormalize(std::vector<float>& basis, std::int64_t rows) {
  std::vector<double> columns(basis.size());  // (kRank, rows): each column contiguous
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t k = 0; k < kRank; ++k) columns[static_cast<std::size_t>(k * rows + r)] = basis[index(r, k)];
  }
  for (std::int64_t k = 0; k < kRank; ++k) {
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
      basis[index(r, k)] = static_cast<float>(column[r]);
    }
  }
}

std::vector<float> transposed(const std::vector<float>& basis, std::int64_t rows) {
  std::vector<float> result(basis.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t k = 0; k < kRank; ++k) result[static_cast<std::size_t>(k * rows + r)] = basis[index(r, k)];
  }
  return result;
}

}  // namespace

SpectralPreconditioner::SpectralPreconditioner(const Context& context, std::span<const float> features, std::int64_t rows,
                                               std::int64_t width)
    : width_(width), eigenvalues_(static_cast<std::size_t>(kRank)), basis_(static_cast<std::size_t>(width * kRank)) {
  Rng rng(0);  // any start will do; the same one gives the same bits
  for (float& value : basis_) value = rng.normal();
  orthonormalize(basis_, width);
  std::vector<float> image(static_cast<std::size_t>(rows * kRank));
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    multiply(context, {rows, kRank, width}, features, basis_, image);
    multiply_transposed(context, {width, kRank, rows}, features, image, basis_);
    if (iteration + 1 == kIterations) {
      // X'X times an orthonormal, nearly invariant basis: the lengths of its columns are nearly the eigenvalues.
      std::vector<double> squares(static_cast<std::size_t>(kRank));
      for (std::size_t i = 0; i < basis_.size(); ++i) squares[i % kRank] += static_cast<double>(basis_[i]) * basis_[i];
      for (std::size_t k = 0; k < squares.size(); ++k) eigenvalues_[k] = std::sqrt(squares[k]) / static_cast<double>(rows);
    }
    orthonormalize(basis_, width);
  }
  basis_transposed_ = transposed(basis_, width);
}

void SpectralPreconditioner::apply(const Context& context, double curvature, double lambda, std::int64_t columns,
                                   std::span<float> gradient) const {
  // With U the basis and e its eigenvalues, the smallest of them s:
  // inverse = 1 / (c s + l) (I - U U') + U diag(1 / (c e + l)) U' = (I + U diag((c s + l) / (c e + l) - 1) U') / (c s + l).
  const double smallest = *std::min_element(eigenvalues_.begin(), eigenvalues_.end());
  const double rest = curvature * smallest + lambda;
  std::vector<float> parts(static_cast<std::size_t>(kRank * columns));
  multiply_transposed(context, {kRank, columns, width_}, basis_, gradient, parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const double own = curvature * eigenvalues_[i / static_cast<std::size_t>(columns)] + lambda;
    parts[i] *= static_cast<float>(rest / own - 1);
  }
  std::vector<float> correction(gradient.size());
  multiply(context, {width_, columns, kRank}, basis_, parts, correction);
  for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = static_cast<float>((gradient[i] + correction[i]) / rest);
}

}  // namespace fovea::training
