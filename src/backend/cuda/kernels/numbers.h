// Fovea: the numbers that tensors are stored as, and vectors of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#include "backend/cuda/kernels/launch.h"

namespace fovea::cuda {

enum class Number : std::uint8_t { kF32, kTF32, kBF16, kFP16 };

/// Eleven significant bits in the place of a float, which is what fast products read of it. It is read rounded, however it came.
struct Tf32 {
  float value;
};

/// Eight significant bits, eight of exponent.
struct Bf16 {
  std::uint16_t bits;
};

/// Eleven significant bits, five of exponent: IEEE 754's binary16.
struct Fp16 {
  std::uint16_t bits;
};

FOVEA_INLINE float bits_to_float(std::uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
FOVEA_INLINE std::uint32_t float_to_bits(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

FOVEA_INLINE float round_to_tf32(float value) {
  const std::uint32_t bits = float_to_bits(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return value;
  return bits_to_float((bits + 0xFFFU + ((bits >> 13) & 1U)) & ~0x1FFFU);
}

FOVEA_INLINE float widen(float value) { return value; }
FOVEA_INLINE float widen(Tf32 value) { return round_to_tf32(value.value); }
FOVEA_INLINE float widen(Bf16 value) { return bits_to_float(static_cast<std::uint32_t>(value.bits) << 16); }

FOVEA_INLINE float widen(Fp16 value) {
#if defined(__CUDA_ARCH__)
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
  return wide;
#else
  const std::uint32_t sign = (value.bits & 0x8000U) << 16, magnitude = value.bits & 0x7FFFU;
  if (magnitude >= 0x7C00U) return bits_to_float(sign | 0x7F800000U | (magnitude << 13));
  // As a float whose exponent is too small by 112, which a product puts right for subnormal numbers too.
  return bits_to_float(float_to_bits(bits_to_float(magnitude << 13) * 0x1p112F) | sign);
#endif
}

/// Rounds to nearest, ties to even; NaN stays NaN.
template <class T>
FOVEA_INLINE T narrow(float value);
template <>
FOVEA_INLINE float narrow<float>(float value) {
  return value;
}
template <>
FOVEA_INLINE Tf32 narrow<Tf32>(float value) {
  return {round_to_tf32(value)};
}
template <>
FOVEA_INLINE Bf16 narrow<Bf16>(float value) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  std::uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return {bits};
#else
  const std::uint32_t bits = float_to_bits(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return {static_cast<std::uint16_t>((bits >> 16) | 0x40U)};
  return {static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16)};
#endif
}

template <>
FOVEA_INLINE Fp16 narrow<Fp16>(float value) {
#if defined(__CUDA_ARCH__)
  std::uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return {bits};
#else
  const std::uint32_t all = float_to_bits(value), sign = (all >> 16) & 0x8000U, magnitude = all & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return {static_cast<std::uint16_t>(sign | 0x7E00U)};
  if (magnitude >= 0x477FF000U) return {static_cast<std::uint16_t>(sign | 0x7C00U)};  // from 65520 on: infinity
  if (magnitude < 0x38800000U) {
    // Below 2^-14 a step is 2^-24, which is that of floats from 1/2 on: their sum rounds to it.
    const float stepped = bits_to_float(magnitude) + 0.5F;
    return {static_cast<std::uint16_t>(sign | (float_to_bits(stepped) - 0x3F000000U))};
  }
  const std::uint32_t rounded = magnitude + 0xFFFU + ((magnitude >> 13) & 1U);
  return {static_cast<std::uint16_t>(sign | ((rounded - 0x38000000U) >> 13))};
#endif
}

/// What remains of a float that is kept as T.
template <class T>
FOVEA_INLINE float rounded_to(float value) {
  return widen(narrow<T>(value));
}

/// V neighbours that are read and written at once; T's V-th multiples in memory are aligned to it.
template <class T, int V>
struct alignas(sizeof(T) * V) Vector {
  T v[V];
};

template <int V, class T>
FOVEA_INLINE void load(const T* from, float (&to)[V]) {
  const Vector<T, V> read = *reinterpret_cast<const Vector<T, V>*>(from);
  FOVEA_UNROLL
  for (int i = 0; i < V; ++i) to[i] = widen(read.v[i]);
}
template <int V, class T>
FOVEA_INLINE void store(const float (&from)[V], T* to) {
  Vector<T, V> made;
  FOVEA_UNROLL
  for (int i = 0; i < V; ++i) made.v[i] = narrow<T>(from[i]);
  *reinterpret_cast<Vector<T, V>*>(to) = made;
}

template <class T>
inline constexpr bool kRounds = true;
template <>
inline constexpr bool kRounds<float> = false;

template <class T>
inline constexpr Number kNumberOf = Number::kF32;
template <>
inline constexpr Number kNumberOf<Tf32> = Number::kTF32;
template <>
inline constexpr Number kNumberOf<Bf16> = Number::kBF16;
template <>
inline constexpr Number kNumberOf<Fp16> = Number::kFP16;

/// Elements that a row of a product's rounded operand is a multiple of: 16 bytes.
template <class T>
inline constexpr int kRowMultiple = 16 / static_cast<int>(sizeof(T));
template <class T>
[[nodiscard]] constexpr int whole_row(int elements) {
  return (elements + kRowMultiple<T> - 1) / kRowMultiple<T> * kRowMultiple<T>;
}

/// Channels, or elements, of a thread: of rows of `count` of them.
[[nodiscard]] inline int vector_of(std::int64_t count) { return count % 4 == 0 ? 4 : 1; }

/// MAKE(T) for all of 16 bits; for everything that a tensor may be kept as; for all that products may read and is rounded.
#define FOVEA_FOR_EACH_SHORT(MAKE) MAKE(Bf16) MAKE(Fp16)
#define FOVEA_FOR_EACH_NUMBER(MAKE) MAKE(float) FOVEA_FOR_EACH_SHORT(MAKE)
#define FOVEA_FOR_EACH_ROUNDED(MAKE) MAKE(Tf32) FOVEA_FOR_EACH_SHORT(MAKE)

}  // namespace fovea::cuda
