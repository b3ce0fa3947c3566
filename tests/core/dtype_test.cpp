// SPDX-License-Identifier: Apache-2.0
#include "core/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fovea {
namespace {

TEST(DType, HalfRoundTripsEveryBitPattern) {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float value = f16_to_f32(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value))));
    } else {
      EXPECT_EQ(f32_to_f16(value), bits);
    }
  }
}

TEST(DType, HalfRoundsToNearestEven) {
  EXPECT_EQ(f16_to_f32(f32_to_f16(1.0F + 0x1p-11F)), 1.0F);  // a tie goes to the even neighbour
  EXPECT_EQ(f16_to_f32(f32_to_f16(1.0F + 0x1.8p-10F)), 1.0F + 0x1p-9F);
  EXPECT_EQ(f16_to_f32(f32_to_f16(65519.9F)), 65504.0F);
  EXPECT_TRUE(std::isinf(f16_to_f32(f32_to_f16(65520.0F))));
  EXPECT_EQ(f16_to_f32(f32_to_f16(0x1p-25F)), 0.0F);
}

TEST(DType, Bfloat16RoundsToNearestEvenAndKeepsNan) {
  EXPECT_EQ(bf16_to_f32(f32_to_bf16(1.0F + 0x1p-8F)), 1.0F);
  EXPECT_EQ(bf16_to_f32(f32_to_bf16(1.0F + 0x1.8p-7F)), 1.0F + 0x1p-6F);
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(DType, ConvertsFromUnalignedBytes) {
  const std::byte bytes[] = {std::byte{9}, std::byte{0x00}, std::byte{0x3C}, std::byte{0x00}, std::byte{0xC0}};
  float out[2];
  convert_to_f32(DType::kF16, bytes + 1, 2, out);
  EXPECT_EQ(out[0], 1.0F);
  EXPECT_EQ(out[1], -2.0F);
}

}  // namespace
}  // namespace fovea
