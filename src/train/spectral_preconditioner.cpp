// SPDX-License-Identifier: Apache-2.0
#include "train/spectral_preconditioner.h"

#include <algorithm>

#include "train/matrix_product.h"
#include "train/principal_directions.h"

namespace fovea::training {

static_assert(SpectralPreconditioner::kRank % kColumnMultiple == 0);

SpectralPreconditioner::SpectralPreconditioner(const Context& context, std::span<const float> features, std::int64_t rows,
                                               std::int64_t width)
    : width_(width) {
  PrincipalDirections found = principal_directions(context, features, rows, width, kRank);
  eigenvalues_ = std::move(found.eigenvalues);
  basis_ = std::move(found.basis);
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
