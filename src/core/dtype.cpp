// SPDX-License-Identifier: Apache-2.0
#include "core/dtype.h"

#include <cmath>
#include <cstring>

namespace fovea {
namespace {

template <class T, class Convert>
void convert_each(const std::byte* source, std::size_t count, float* out, Convert convert) {
  for (std::size_t i = 0; i < count; ++i) {
    T element;
    std::memcpy(&element, source + i * sizeof(T), sizeof(T));
    out[i] = convert(element);
  }
}

constexpr auto kCast = [](auto element) { return static_cast<float>(element); };

}  // namespace

std::string_view name_of(DType type) {
  switch (type) {
    case DType::kF64: return "F64";
    case DType::kF32: return "F32";
    case DType::kF16: return "F16";
    case DType::kBF16: return "BF16";
    case DType::kI64: return "I64";
    case DType::kI32: return "I32";
    case DType::kI16: return "I16";
    case DType::kI8: return "I8";
    case DType::kU8: return "U8";
    case DType::kBool: return "BOOL";
  }
  return "?";
}

float f16_to_f32(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1FU;
  const std::uint32_t mantissa = bits & 0x3FFU;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24
    const float magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U | ((magnitude >> 13) & 0x1FFU));
  if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // 65520 and more rounds to infinity
  if (magnitude < 0x38800000U) {                                                    // below 2^-14: subnormal
    const float scaled = std::ldexp(std::bit_cast<float>(magnitude), 24);
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(scaled)));
  }
  const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13));
}

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

void convert_to_f32(DType type, const std::byte* source, std::size_t count, float* out) {
  if (count == 0) return;  // memcpy may not be given null, whatever the size
  switch (type) {
    case DType::kF32: std::memcpy(out, source, count * sizeof(float)); return;
    case DType::kF64: return convert_each<double>(source, count, out, kCast);
    case DType::kF16: return convert_each<std::uint16_t>(source, count, out, f16_to_f32);
    case DType::kBF16: return convert_each<std::uint16_t>(source, count, out, bf16_to_f32);
    case DType::kI64: return convert_each<std::int64_t>(source, count, out, kCast);
    case DType::kI32: return convert_each<std::int32_t>(source, count, out, kCast);
    case DType::kI16: return convert_each<std::int16_t>(source, count, out, kCast);
    case DType::kI8: return convert_each<std::int8_t>(source, count, out, kCast);
    case DType::kU8:
    case DType::kBool: return convert_each<std::uint8_t>(source, count, out, kCast);
  }
}

}  // namespace fovea
