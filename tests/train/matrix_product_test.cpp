// SPDX-License-Identifier: Apache-2.0
#include "train/matrix_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>
#include <vector>

#include "core/rng.h"

namespace fovea::training {

static void PrintTo(const ProductShape& shape, std::ostream* out) {
  *out << shape.rows << " x " << shape.inner << " x " << shape.columns;
}

namespace {

std::vector<float> random(std::int64_t size, std::uint32_t purpose) {
  Rng rng(1, 0, 0, purpose);
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = rng.normal();
  return values;
}

class MatrixProduct : public testing::TestWithParam<ProductShape> {};

TEST_P(MatrixProduct, AgreesWithTheDefinition) {
  const ProductShape shape = GetParam();
  const std::vector<float> a = random(shape.rows * shape.inner, 0);
  const std::vector<float> b = random(shape.inner * shape.columns, 1);
  std::vector<float> a_transposed(a.size());
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    for (std::int64_t i = 0; i < shape.inner; ++i) a_transposed[i * shape.rows + r] = a[r * shape.inner + i];
  }
  Context context;
  context.threads = 2;
  std::vector<float> c(static_cast<std::size_t>(shape.rows * shape.columns), NAN);
  std::vector<float> from_transposed(c.size(), NAN);
  multiply(context, shape, a, b, c);
  multiply_transposed(context, shape, a_transposed, b, from_transposed);
  EXPECT_EQ(c, from_transposed);
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    for (std::int64_t k = 0; k < shape.columns; ++k) {
      double sum = 0;
      double size = 0;
      for (std::int64_t i = 0; i < shape.inner; ++i) {
        const double term = static_cast<double>(a[r * shape.inner + i]) * b[i * shape.columns + k];
        sum += term;
        size += std::abs(term);
      }
      // Higham's bound for a sum of n products: n u sum |a||b|.
      const double bound = static_cast<double>(shape.inner + 1) * std::numeric_limits<float>::epsilon() / 2 * size;
      ASSERT_NEAR(c[r * shape.columns + k], sum, bound) << r << ' ' << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tails, MatrixProduct,
                         testing::Values(ProductShape{1, 16, 1}, ProductShape{5, 16, 7}, ProductShape{6, 32, 256},
                                         ProductShape{7, 48, 257}, ProductShape{13, 80, 600}));

TEST(MatrixProductThreads, TheSameBitsForAnyNumber) {
  const ProductShape shape{101, 48, 513};
  const std::vector<float> a = random(shape.rows * shape.inner, 0);
  const std::vector<float> b = random(shape.inner * shape.columns, 1);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3, 8}) {
    Context context;
    context.threads = threads;
    results.emplace_back(static_cast<std::size_t>(shape.rows * shape.columns));
    multiply(context, shape, a, b, results.back());
  }
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

}  // namespace
}  // namespace fovea::training
