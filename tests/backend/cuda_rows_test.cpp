// Rows that lanes share: that long ones are as exact as short ones.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "backend/cuda/kernels/answers.h"
#include "backend/cuda/kernels/host_stream.h"

namespace fovea {
namespace {

TEST(CudaRows, LongSumsAreTakenAsATree) {
  CUstream_st stream;
  for (const int count : {1, 31, 32, 512, 513, 1 << 20}) {
    const std::vector<float> values(static_cast<std::size_t>(count), 0.1F);
    float sum = 0;
    cuda::sum_all(&stream, values.data(), count, &sum);
    // One after the other, a million of them would be 4 % off.
    EXPECT_NEAR(sum, count * 0.1, count * 0.1 * 1e-4) << count;
  }
}

TEST(CudaRows, ASoftmaxMayTakeThePlaceOfItsLogits) {
  using Order = CUstream_st::Order;
  for (const Order order : {Order::kForward, Order::kBackward, Order::kScattered}) {
    for (const int classes : {5, 700}) {
      CUstream_st stream{order};
      std::vector<float> values(static_cast<std::size_t>(3 * classes), 2.0F);
      values[1] = 2.0F + std::log(3.0F);
      cuda::softmax(&stream, {3, classes}, values.data(), nullptr, nullptr, values.data(), nullptr);
      EXPECT_NEAR(values[0], 1.0 / (classes + 2), 1e-6);
      EXPECT_NEAR(values[1], 3.0 / (classes + 2), 1e-6);
      EXPECT_NEAR(values.back(), 1.0 / classes, 1e-6);
    }
  }
}

}  // namespace
}  // namespace fovea
