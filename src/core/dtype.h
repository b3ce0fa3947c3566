// Fovea: element types of stored and computed tensors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fovea {

enum class DType : std::uint8_t { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::kF64:
    case DType::kI64: return 8;
    case DType::kF32:
    case DType::kI32: return 4;
    case DType::kF16:
    case DType::kBF16:
    case DType::kI16: return 2;
    case DType::kI8:
    case DType::kU8:
    case DType::kBool: return 1;
  }
  return 0;
}

/// Name in the safetensors spelling: "F32", "BF16", "I64", ...
[[nodiscard]] std::string_view name_of(DType type);

[[nodiscard]] constexpr bool is_floating(DType type) {
  return type == DType::kF64 || type == DType::kF32 || type == DType::kF16 || type == DType::kBF16;
}

/// IEEE 754 binary16 to binary32; exact, subnormals, infinities and NaN included.
[[nodiscard]] float f16_to_f32(std::uint16_t bits);
/// binary32 to binary16, rounded to nearest even.
[[nodiscard]] std::uint16_t f32_to_f16(float value);
/// bfloat16 to binary32; exact.
[[nodiscard]] constexpr float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
/// binary32 to bfloat16, rounded to nearest even; NaN stays NaN.
[[nodiscard]] std::uint16_t f32_to_bf16(float value);

/// The two above by type, which is kF16 or kBF16.
[[nodiscard]] inline float widen_16(DType type, std::uint16_t bits) {
  return type == DType::kF16 ? f16_to_f32(bits) : bf16_to_f32(bits);
}
[[nodiscard]] inline std::uint16_t round_to_16(DType type, float value) {
  return type == DType::kF16 ? f32_to_f16(value) : f32_to_bf16(value);
}

/// Converts `count` elements of `type` at `source` (any alignment) to float.
void convert_to_f32(DType type, const std::byte* source, std::size_t count, float* out);

}  // namespace fovea
