// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/row_product.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <algorithm>

#include "backend/cpu/kernels/bf16/row_ends.h"

namespace fovea::cpu::bf16 {
namespace {

constexpr std::int64_t kWoven = 2 * kLanes;  ///< weights of a vector
/// Positions that share a pointer: multiples of one step that addresses can hold, and their threefold and fivefold.
constexpr int kGroup = 7;

/// Of a vector of columns: the sums. What is multiplied is read where it is added: a compiler that is left to itself keeps it in
/// registers, which the sums need.
struct Whole {
  using Sum = __m512;
  static constexpr std::int64_t kNumbers = kLanes;
  static FOVEA_BF16_INLINE Sum zero() { return _mm512_setzero_ps(); }
  static FOVEA_BF16_INLINE __m512i weights(const Bf16* from) { return _mm512_loadu_si512(from); }
  static FOVEA_BF16_INLINE void add(Sum& sum, __m512i weights, const char* pair) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(weights), "m"(*reinterpret_cast<const std::int32_t*>(pair)));
  }
  static FOVEA_BF16_INLINE void store(Sum sum, float* to) { _mm512_store_ps(to, sum); }
};
/// Of 8 columns: half a vector takes half the time where vectors go through the unit in two halves.
struct Half {
  using Sum = __m256;
  static constexpr std::int64_t kNumbers = kLanes / 2;
  static FOVEA_BF16_INLINE Sum zero() { return _mm256_setzero_ps(); }
  static FOVEA_BF16_INLINE __m256i weights(const Bf16* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static FOVEA_BF16_INLINE void add(Sum& sum, __m256i weights, const char* pair) {
    asm("vdpbf16ps %2%{1to8%}, %1, %0" : "+v"(sum) : "v"(weights), "m"(*reinterpret_cast<const std::int32_t*>(pair)));
  }
  static FOVEA_BF16_INLINE void store(Sum sum, float* to) { _mm256_store_ps(to, sum); }
};

/// Bytes from the first position of a group to the others.
struct Steps {
  std::int64_t one, three, five;

  FOVEA_BF16_INLINE explicit Steps(std::int64_t bytes) : one(bytes), three(3 * bytes), five(5 * bytes) {
    asm("" : "+r"(three), "+r"(five));  // registers of their own
  }
  [[nodiscard]] FOVEA_BF16_INLINE std::int64_t to(int position) const {
    switch (position) {
      case 0: return 0;
      case 1: return one;
      case 2: return 2 * one;
      case 3: return three;
      case 4: return 4 * one;
      case 5: return five;
      default: return 2 * three;
    }
  }
};

/// Brings `count` rows of columns near, of a tensor that was read or written long ago.
template <bool kToWrite, class Ends>
FOVEA_BF16_INLINE void fetch(const Ends& ends, std::int64_t columns, std::int64_t first, std::int64_t count) {
  if (ends.data == nullptr) return;
  const auto number = static_cast<std::int64_t>(ends.rounded ? sizeof(Bf16) : sizeof(float));
  const auto* at = reinterpret_cast<const char*>(ends.data) + first * ends.position * number;
  for (; count > 0; --count, at += ends.position * number) {
    for (std::int64_t byte = 0; byte < columns * number; byte += kCacheLine) {
      if constexpr (kToWrite) {
        asm volatile("prefetchw %0" ::"m"(at[byte]));
      } else {
        _mm_prefetch(at + byte, _MM_HINT_T0);
      }
    }
  }
}

/// Where the next pair of numbers of a kernel row lies: of each group of positions, and of the weights.
template <int kGroups>
struct NextPair {
  const char* at[kGroups];
  const Bf16* w;
};

/// The products of `pairs` pairs, for all positions but the first, or the last.
template <class Lanes, int kGroups, int kCount, int kVectors, bool kFirst = true, bool kLast = true>
FOVEA_BF16_INLINE void add_pairs(typename Lanes::Sum (&sums)[kGroups * kCount][kVectors], std::int64_t pairs, const Steps& steps,
                                 NextPair<kGroups>& next, Ahead& ahead) {
  for (; pairs > 0; --pairs, next.w += kVectors * kWoven) {
    bf16::fetch(ahead);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const auto weights = Lanes::weights(next.w + v * kWoven);
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) {
#pragma GCC unroll 7
        for (int i = 0; i < kCount; ++i) {
          if ((!kFirst && g == 0 && i == 0) || (!kLast && g == kGroups - 1 && i == kCount - 1)) continue;
          Lanes::add(sums[g * kCount + i][v], weights, next.at[g] + steps.to(i));
        }
      }
    }
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) next.at[g] += 2 * sizeof(Bf16);
  }
}

/// Positions from `first` on: kGroups times kCount of them.
template <class Lanes, int kGroups, int kCount, int kVectors>
FOVEA_BF16 void tile(const RowProduct& p, std::int64_t first) {
  constexpr int kPositions = kGroups * kCount;
  const bool reads = p.addend.data != nullptr || p.factor.data != nullptr;
  if (reads || p.y.position != p.columns) {  // what is only written, and in one piece, comes by itself
    fetch<false>(p.addend, p.columns, first, kPositions);
    fetch<false>(p.factor, p.columns, first, kPositions);
    fetch<true>(p.y, p.columns, first, kPositions);
    fetch<true>(p.slope, p.columns, first, kPositions);
  }
  typename Lanes::Sum sums[kPositions][kVectors];
#pragma GCC unroll 28
  for (int i = 0; i < kPositions; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[i][v] = Lanes::zero();
  }
  const Steps steps(p.position * static_cast<std::int64_t>(sizeof(Bf16)));
  const std::int64_t by_first = first == 0 ? p.unseen_by_first : 0;
  const std::int64_t by_last = first + kPositions == p.positions ? p.unseen_by_last : 0;
  NextPair<kGroups> next;
  next.w = p.w;
  Ahead ahead = *p.ahead;
  for (std::int64_t row = 0; row < p.kernel_rows; ++row) {
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g)
      next.at[g] = reinterpret_cast<const char*>(p.x + (first + g * kCount) * p.position + row * p.row);
    add_pairs<Lanes, kGroups, kCount, kVectors, false, true>(sums, by_first, steps, next, ahead);
    add_pairs<Lanes, kGroups, kCount, kVectors>(sums, p.pairs - by_first - by_last, steps, next, ahead);
    add_pairs<Lanes, kGroups, kCount, kVectors, true, false>(sums, by_last, steps, next, ahead);
  }
  *p.ahead = ahead;
  constexpr std::int64_t kStep = kVectors * Lanes::kNumbers;
  alignas(64) float results[kPositions * kStep];
#pragma GCC unroll 28
  for (int i = 0; i < kPositions; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) Lanes::store(sums[i][v], results + i * kStep + v * Lanes::kNumbers);
  }
  finish<kStep>(p, results, first, kPositions);
}

/// Fewer than kGroup positions: `count`, which is found by counting down.
template <class Lanes, int kCount, int kVectors>
void last_tile(const RowProduct& p, std::int64_t first, std::int64_t count) {
  if constexpr (kCount > 0) {
    if (count < kCount) return last_tile<Lanes, kCount - 1, kVectors>(p, first, count);
    tile<Lanes, 1, kCount, kVectors>(p, first);
  }
}

/// As many groups at once as there are registers for.
template <class Lanes, int kVectors>
void all_positions(const RowProduct& p) {
  constexpr int kGroups = 4 / kVectors;
  std::int64_t first = 0;
  for (; first + kGroups * kGroup <= p.positions; first += kGroups * kGroup) tile<Lanes, kGroups, kGroup, kVectors>(p, first);
  for (; first + kGroup <= p.positions; first += kGroup) tile<Lanes, 1, kGroup, kVectors>(p, first);
  last_tile<Lanes, kGroup - 1, kVectors>(p, first, p.positions - first);
}

}  // namespace

void multiply_rows(const RowProduct& product) {
  switch ((product.columns + kLanes - 1) / kLanes) {
    case 1: return product.columns <= kLanes / 2 ? all_positions<Half, 1>(product) : all_positions<Whole, 1>(product);
    case 2: return all_positions<Whole, 2>(product);
    case 3: return all_positions<Whole, 3>(product);
    default: return all_positions<Whole, 4>(product);
  }
}

FOVEA_BF16 void pack_pair(const float* first, const float* second, std::int64_t count, Bf16* to) {
  const __mmask16 mask = first_lanes(count), none = 0;
  const __m512 even = _mm512_maskz_loadu_ps(first == nullptr ? none : mask, first);
  const __m512 odd = _mm512_maskz_loadu_ps(second == nullptr ? none : mask, second);
  _mm512_storeu_si512(to, round_interleaved(even, odd));
}

FOVEA_BF16 void pack_windows(const Windows& windows, Bf16* to, std::int64_t step) {
  const __mmask16 mask = first_lanes(windows.size);
  __m512i even[16], odd[16];  // [number of the window]: of all columns
  for (std::int64_t k = 0; k < kLanes; ++k) {
    const __mmask16 here = k < windows.count ? mask : __mmask16{0};
    even[k] = _mm512_maskz_loadu_epi32(here, windows.even + k * windows.column);
    odd[k] = _mm512_maskz_loadu_epi32(here, windows.odd + k * windows.column);
  }
  transpose(even);
  transpose(odd);
  for (std::int64_t u = 0; u < windows.rows; ++u) {
    for (std::int64_t v = 0; v < windows.taps; ++v, to += step) {
      const std::int64_t number = windows.first + u * windows.row + v * windows.tap;
      _mm512_storeu_si512(to, round_interleaved(_mm512_castsi512_ps(even[number]), _mm512_castsi512_ps(odd[number])));
    }
  }
}

FOVEA_BF16 void pack_columns(const Bf16* columns, std::int64_t column, std::int64_t count, std::int64_t pairs,
                             std::int64_t vectors, std::int64_t vector, Bf16* to) {
  to += vector * kWoven;
  for (std::int64_t first = 0; first < pairs; first += kLanes) {
    const __mmask16 mask = first_lanes(pairs - first);
    __m512i rows[16];
    for (std::int64_t k = 0; k < kLanes; ++k)
      rows[k] = k < count ? _mm512_maskz_loadu_epi32(mask, columns + k * column + 2 * first) : _mm512_setzero_si512();
    transpose(rows);
    for (std::int64_t i = 0; i < std::min(kLanes, pairs - first); ++i)
      _mm512_storeu_si512(to + (first + i) * vectors * kWoven, rows[i]);
  }
}

}  // namespace fovea::cpu::bf16

#else

namespace fovea::cpu::bf16 {

// There is no unit for bf16, so nothing calls these.
void multiply_rows(const RowProduct& /*product*/) {}
void pack_pair(const float* /*first*/, const float* /*second*/, std::int64_t /*count*/, Bf16* /*to*/) {}
void pack_windows(const Windows& /*windows*/, Bf16* /*to*/, std::int64_t /*step*/) {}
void pack_columns(const Bf16* /*columns*/, std::int64_t /*column*/, std::int64_t /*count*/, std::int64_t /*pairs*/,
                  std::int64_t /*vectors*/, std::int64_t /*vector*/, Bf16* /*to*/) {}

}  // namespace fovea::cpu::bf16

#endif
