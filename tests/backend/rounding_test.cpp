// Numbers of fewer bits: the definition, the conversions of weight files, and those of the GPU's kernels say the same.
// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/rounding.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/cuda/kernels/numbers.h"
#include "core/dtype.h"
#include "core/rng.h"

namespace fovea {
namespace {

/// The bits of a float, so that signs of zeros count and NaN equals NaN.
std::uint32_t bits(double value) {
  return std::isnan(value) ? 0x7FC00000U : std::bit_cast<std::uint32_t>(static_cast<float>(value));
}

/// Both neighbours of every half, the middle between two, what is next to that, and numbers of any size.
std::vector<float> values() {
  std::vector<float> made;
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    const float value = f16_to_f32(static_cast<std::uint16_t>(half));
    if (!std::isfinite(value)) continue;
    const float next = f16_to_f32(static_cast<std::uint16_t>(half + 1));
    const float middle = (half & 0x7FFFU) == 0x7BFF ? std::copysign(65520.0F, value) : value + (next - value) / 2;
    for (const float v : {value, middle}) made.insert(made.end(), {v, std::nextafter(v, 1e30F), std::nextafter(v, -1e30F)});
  }
  Rng rng(4);
  for (int i = 0; i < 20000; ++i) made.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(rng())));
  for (const float v : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()})
    made.insert(made.end(), {v, -v});
  return made;
}

template <class T>
void expect_as_defined(const reference::Format& format) {
  for (const float value : values()) {
    const double defined = reference::round_to(static_cast<double>(value), format);
    ASSERT_EQ(bits(defined), bits(cuda::widen(cuda::narrow<T>(value)))) << value;
  }
}

TEST(Rounding, OfTheGpusKernelsIsAsDefined) {
  expect_as_defined<cuda::Bf16>(reference::kBf16);
  expect_as_defined<cuda::Tf32>(reference::kTf32);
  expect_as_defined<cuda::Fp16>(reference::kFp16);
}

TEST(Rounding, OfStoredValuesIsAsDefined) {
  for (const DType type : {DType::kBF16, DType::kF16}) {
    for (const float value : values()) {
      const double defined = reference::round_to(static_cast<double>(value), reference::format_of(type));
      ASSERT_EQ(bits(defined), bits(widen_16(type, round_to_16(type, value)))) << value;
    }
  }
}

TEST(Rounding, EveryHalfComesBack) {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    const cuda::Fp16 number{static_cast<std::uint16_t>(half)};
    const float wide = cuda::widen(number);
    ASSERT_EQ(bits(wide), bits(f16_to_f32(number.bits)));
    if (std::isnan(wide)) continue;
    ASSERT_EQ(cuda::narrow<cuda::Fp16>(wide).bits, half);
  }
}

TEST(Rounding, IsOpenOnlyNearABoundary) {
  const auto error = [](double value, double units) {
    return reference::round_to(reference::Rounded(value, units), reference::kFp16).error * 0x1p-24;
  };
  EXPECT_EQ(error(1.0 + 0x1p-12, 1), 0) << "a quarter of a step from the boundary";
  EXPECT_EQ(error(1.0 + 0x1p-11, 1), 0x1p-10) << "on it: either neighbour";
  EXPECT_EQ(error(65536, 1), 0) << "infinite either way";
  EXPECT_EQ(error(65520, 65536), std::numeric_limits<double>::infinity()) << "the largest, or infinite";
}

}  // namespace
}  // namespace fovea
