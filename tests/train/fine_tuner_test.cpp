// SPDX-License-Identifier: Apache-2.0
#include "train/fine_tuner.h"

#include <gtest/gtest.h>

#include "train/tiny_tuning.h"

namespace fovea::training {
namespace {

TEST(FineTuner, TrainsAtAll) {
  const Trained trained = whole();
  EXPECT_TRUE(trained.last.finished);
  EXPECT_EQ(trained.last.photos, kPhotos);
  EXPECT_EQ(trained.last.batches, 3);
  EXPECT_GE(trained.last.waited, 0);
  EXPECT_LE(trained.last.waited, trained.last.seconds);
  EXPECT_FALSE(trained.split.has_value());
  const ParameterSet before = fresh_parameters(tiny_spec());
  EXPECT_NE(std::vector<float>(before.all().begin(), before.all().end()), trained.parameters);
}

}  // namespace
}  // namespace fovea::training
