// SPDX-License-Identifier: Apache-2.0
#include "train/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace fovea::training {
namespace {

TEST(Temperature, UndoesLogitsThatAreThreeTimesTooSure) {
  // Labels drawn from softmax(z); the table holds 3 z.
  Table table{4, {}};
  std::vector<std::int32_t> labels;
  for (std::uint32_t n = 0; n < 4000; ++n) {
    Rng rng(2, 0, n);
    std::array<double, 4> z{};
    double sum = 0;
    for (double& value : z) {
      value = 1.5 * rng.normal();
      table.values.push_back(static_cast<float>(3 * value));
      sum += std::exp(value);
    }
    double draw = rng.uniform() * sum;
    std::int32_t label = 0;
    while (label < 3 && (draw -= std::exp(z[static_cast<std::size_t>(label)])) > 0) ++label;
    labels.push_back(label);
  }
  // The standard error of the estimate over 4,000 photos is about 3 / sqrt(4000) = 0.05.
  EXPECT_NEAR(fit_temperature(table, labels), 3, 0.2);
}

TEST(Temperature, IsOneWithoutPhotosAndBoundedWhenAllIsRight) {
  EXPECT_EQ(fit_temperature({}, {}), 1);
  const Table table{2, {5.0F, 0.0F, 0.0F, 5.0F}};
  const std::vector<std::int32_t> labels{0, 1};
  EXPECT_NEAR(fit_temperature(table, labels), 1.0 / 8, 1e-3);
}

}  // namespace
}  // namespace fovea::training
