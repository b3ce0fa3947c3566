// Fovea: the numbers that tensors are stored as, and vectors of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#include "backend/cuda/kernels/launch.h"

namespace fovea::cuda {

enum class Number : std::uint8_t { kF32, kTF32, kBF16 };

/// Eleven significant bits in the place of a float, which is what fast products read of it. It is read rounded, however it came.
struct Tf32 {
  float value;
};

/// Eight significant bits, eight of exponent.
struct Bf16 {
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

/// Elements that a row of a product's rounded operand is a multiple of: 16 bytes.
template <class T>
inline constexpr int kRowMultiple = 16 / static_cast<int>(sizeof(T));
template <class T>
[[nodiscard]] constexpr int whole_row(int elements) {
  return (elements + kRowMultiple<T> - 1) / kRowMultiple<T> * kRowMultiple<T>;
}

/// Channels, or elements, of a thread: of rows of `count` of them.
[[nodiscard]] inline int vector_of(std::int64_t count) { return count % 4 == 0 ? 4 : 1; }

/// MAKE(T) for everything that a tensor may be kept as.
#define FOVEA_FOR_EACH_NUMBER(MAKE) MAKE(float) MAKE(Bf16)
/// MAKE(T) for everything that products may read and is rounded.
#define FOVEA_FOR_EACH_ROUNDED(MAKE) MAKE(Tf32) MAKE(Bf16)

}  // namespace fovea::cuda
