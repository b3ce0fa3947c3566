// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/depthwise.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <type_traits>

#include "backend/cpu/kernels/bf16/vectors.h"
#include "backend/cpu/kernels/block_depthwise.h"

namespace fovea::cpu::bf16 {
namespace {

constexpr int kMostColumns = static_cast<int>(kDepthwiseColumns);

/// Columns [first, first + kColumns) of y, an even number.
template <int kColumns, int kTaps, int kStride, bool kPairs>
FOVEA_BF16_INLINE void forward_columns(const Bf16* const* rows, int kernel_h, const float* w, const float* b,
                                       const RoundedLimits& limits, Bf16* y, std::int64_t y_step, std::int64_t first) {
  constexpr int kSeen = (kColumns - 1) * kStride + kTaps;
  __m512 even[kColumns], odd[kColumns];
  for (int j = 0; j < kColumns; ++j) {
    even[j] = _mm512_load_ps(b);
    odd[j] = _mm512_load_ps(b + 16);
  }
  for (int r = 0; r < kernel_h; ++r) {
    const Bf16* x = rows[r] + first * kStride * kBlock;
    __m512 taps_even[kTaps], taps_odd[kTaps];
    for (int s = 0; s < kTaps; ++s) {
      taps_even[s] = _mm512_load_ps(w + (r * kTaps + s) * kBlock);
      taps_odd[s] = _mm512_load_ps(w + (r * kTaps + s) * kBlock + 16);
    }
    // Each position is unfolded once, for all columns that see it.
#pragma GCC unroll 16
    for (int i = 0; i < kSeen; ++i) {
      const __m512i numbers = _mm512_load_si512(x + i * kBlock);
      const __m512 half_even = even_half(numbers), half_odd = odd_half(numbers);
#pragma GCC unroll 8
      for (int j = 0; j < kColumns; ++j) {
        const int s = i - j * kStride;
        if (s < 0 || s >= kTaps) continue;
        even[j] = _mm512_fmadd_ps(half_even, taps_even[s], even[j]);
        odd[j] = _mm512_fmadd_ps(half_odd, taps_odd[s], odd[j]);
      }
    }
  }
  for (int j = 0; j < kColumns; j += 2) {
    if constexpr (kPairs) {
      _mm512_store_si512(y + (first + j) * 16, limits.clamp(round_interleaved(even[j], even[j + 1])));
      _mm512_store_si512(y + y_step + (first + j) * 16, limits.clamp(round_interleaved(odd[j], odd[j + 1])));
    } else {
      _mm512_store_si512(y + (first + j) * kBlock, limits.clamp(round_interleaved(even[j], odd[j])));
      _mm512_store_si512(y + (first + j + 1) * kBlock, limits.clamp(round_interleaved(even[j + 1], odd[j + 1])));
    }
  }
}

template <int kTaps, int kStride, bool kPairs>
FOVEA_BF16 void forward_row(const DepthwiseRow& row) {
  const RoundedLimits limits(row.activation);
  for (std::int64_t block = 0; block < row.blocks; ++block) {
    const Bf16* rows[kMaxDepthwiseRows];
    for (int r = 0; r < row.kernel_h; ++r) rows[r] = row.x[r] + block * row.x_block;
    const float* w = row.w + block * row.kernel_h * kTaps * kBlock;
    const float* b = row.b + block * kBlock;
    Bf16* y = row.y + block * row.y_step * (kPairs ? 2 : 1);
    std::int64_t first = 0;
    for (; first + kMostColumns <= row.out_width; first += kMostColumns)
      forward_columns<kMostColumns, kTaps, kStride, kPairs>(rows, row.kernel_h, w, b, limits, y, row.y_step, first);
    if (first < row.out_width) forward_columns<2, kTaps, kStride, kPairs>(rows, row.kernel_h, w, b, limits, y, row.y_step, first);
  }
}

constexpr int floor_half(int a) { return a >= 0 ? a / 2 : -((1 - a) / 2); }
/// As in kernels/block_depthwise.cpp: the column of the gradient that position j of a group meets through tap s, for j - s.
template <int kStride, int kPhase>
constexpr int column_of(int offset) {
  return kStride == 1 ? offset : floor_half(offset + kPhase);
}

/// kHalf 0: even channels; 1: odd ones.
template <int kHalf>
FOVEA_BF16_INLINE __m512 half_of(const Bf16* numbers) {
  const __m512i both = _mm512_load_si512(numbers);
  return kHalf == 0 ? even_half(both) : odd_half(both);
}

/// A row of one half of a block, with pointers to it.
struct HalfRow {
  const Bf16* x;
  const Bf16* g[kMaxDepthwiseRows];
  const float* w;
  Bf16* dx;
  Bf16* pairs;
  float* exact;
  float* dw;
};

/// Sums of the taps of kRows rows of the gradient, in registers.
template <int kRows, int kTaps>
struct TapSums {
  __m512 sums[kRows][kTaps];

  FOVEA_BF16_INLINE TapSums(const float* dw, const int* tap) {
    for (int k = 0; k < kRows; ++k) {
      for (int s = 0; s < kTaps; ++s) sums[k][s] = _mm512_load_ps(dw + (tap[k] * kTaps + s) * kBlock);
    }
  }
  FOVEA_BF16_INLINE void put(float* dw, const int* tap) const {
    for (int k = 0; k < kRows; ++k) {
      for (int s = 0; s < kTaps; ++s) _mm512_store_ps(dw + (tap[k] * kTaps + s) * kBlock, sums[k][s]);
    }
  }
  [[nodiscard]] FOVEA_BF16_INLINE __m512 get(int k, int s) const { return sums[k][s]; }
  FOVEA_BF16_INLINE void set(int k, int s, __m512 sum) { sums[k][s] = sum; }
};

/// Of any number of rows: where there are more taps than registers.
template <int kTaps>
struct TapSums<0, kTaps> {
  float* dw;
  const int* tap;

  FOVEA_BF16_INLINE TapSums(float* memory, const int* rows) : dw(memory), tap(rows) {}
  FOVEA_BF16_INLINE void put(float* /*dw*/, const int* /*tap*/) const {}
  [[nodiscard]] FOVEA_BF16_INLINE __m512 get(int k, int s) const { return _mm512_load_ps(dw + (tap[k] * kTaps + s) * kBlock); }
  FOVEA_BF16_INLINE void set(int k, int s, __m512 sum) const { _mm512_store_ps(dw + (tap[k] * kTaps + s) * kBlock, sum); }
};

/// What columns of x meet in row k of the gradient, of which they see columns from g_first on: to their gradients and the sums.
template <int kColumns, int kTaps, int kStride, int kPhase, int kHalf, class Sums>
FOVEA_BF16_INLINE void meet_row(const DepthwiseBackwardRow& row, const HalfRow& half, int k, std::int64_t g_first,
                                const __m512 (&x)[kColumns], __m512 (&dx)[kColumns], Sums& sums) {
  constexpr int kLow = column_of<kStride, kPhase>(-(kTaps - 1));
  constexpr int kSeen = column_of<kStride, kPhase>(kColumns - 1) - kLow + 1;
  const Bf16* g = half.g[k] + g_first * kBlock;
  const float* w = half.w + static_cast<std::int64_t>(row.tap[k]) * kTaps * kBlock;
  __m512 seen[kSeen];
  for (int i = 0; i < kSeen; ++i) seen[i] = half_of<kHalf>(g + i * kBlock);
#pragma GCC unroll 5
  for (int s = 0; s < kTaps; ++s) {
    const __m512 weight = _mm512_load_ps(w + s * kBlock);
    __m512 sum = sums.get(k, s);
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) {
      if ((j + kPhase + kTaps * kStride - s) % kStride != 0) continue;
      const __m512 gradient = seen[column_of<kStride, kPhase>(j - s) - kLow];
      dx[j] = _mm512_fmadd_ps(weight, gradient, dx[j]);
      sum = _mm512_fmadd_ps(x[j], gradient, sum);
    }
    sums.set(k, s, sum);
  }
}

/// Columns [first, first + kColumns) of x, an even number, of which the last counts for the bias if `whole`.
template <int kColumns, int kTaps, int kStride, int kPhase, int kHalf, int kRows>
FOVEA_BF16_INLINE __m512 backward_columns(const DepthwiseBackwardRow& row, const HalfRow& half, const Limits& limits,
                                          std::int64_t first, bool whole, TapSums<kRows, kTaps>& sums, __m512 db) {
  static_assert(kColumns % kStride == 0);
  const std::int64_t g_first = (first + row.left - kPhase) / kStride + column_of<kStride, kPhase>(-(kTaps - 1));
  __m512 x[kColumns], dx[kColumns];
  for (int j = 0; j < kColumns; ++j) {
    x[j] = half_of<kHalf>(half.x + (first + j) * kBlock);
    dx[j] = _mm512_setzero_ps();
  }
  if constexpr (kRows == 0) {
    for (int k = 0; k < row.count; ++k) meet_row<kColumns, kTaps, kStride, kPhase, kHalf>(row, half, k, g_first, x, dx, sums);
  } else {
#pragma GCC unroll 3
    for (int k = 0; k < kRows; ++k) meet_row<kColumns, kTaps, kStride, kPhase, kHalf>(row, half, k, g_first, x, dx, sums);
  }
  for (int j = 0; j < kColumns; ++j) {
    dx[j] = limits.through(x[j], dx[j]);
    if (j < kColumns - 1 || whole) db = _mm512_add_ps(db, dx[j]);
  }
  for (int j = 0; j < kColumns; j += 2) {
    if (half.exact != nullptr) {
      _mm512_store_ps(half.exact + (first + j) * 16, dx[j]);
      _mm512_store_ps(half.exact + (first + j + 1) * 16, dx[j + 1]);
      continue;
    }
    const __m512i both = round_in_turn(dx[j], dx[j + 1]);
    _mm256_store_si256(reinterpret_cast<__m256i*>(half.dx + (first + j) * kBlock), _mm512_castsi512_si256(both));
    _mm256_store_si256(reinterpret_cast<__m256i*>(half.dx + (first + j + 1) * kBlock), _mm512_extracti64x4_epi64(both, 1));
    _mm512_store_si512(half.pairs + (first + j) * 16, interleave(both));
  }
  return db;
}

template <int kTaps, int kStride, int kPhase, int kHalf, int kRows>
FOVEA_BF16_INLINE __m512 backward_groups(const DepthwiseBackwardRow& row, const HalfRow& half, const Limits& limits, __m512 db) {
  TapSums<kRows, kTaps> sums(half.dw, row.tap);
  std::int64_t first = 0;
  // The more at once, the fewer sums are loaded and stored, as far as registers go.
  if constexpr (kRows == 0 && kStride == 2) {
    for (; first + 8 <= row.even_width; first += 8)
      db = backward_columns<8, kTaps, kStride, kPhase, kHalf>(row, half, limits, first, first + 8 <= row.width, sums, db);
  }
  for (; first + 4 <= row.even_width; first += 4)
    db = backward_columns<4, kTaps, kStride, kPhase, kHalf>(row, half, limits, first, first + 4 <= row.width, sums, db);
  if (first < row.even_width)
    db = backward_columns<2, kTaps, kStride, kPhase, kHalf>(row, half, limits, first, first + 2 <= row.width, sums, db);
  sums.put(half.dw, row.tap);
  return db;
}

template <int kTaps, int kStride, int kPhase, int kHalf>
FOVEA_BF16_INLINE __m512 backward_by_rows(const DepthwiseBackwardRow& row, const HalfRow& half, const Limits& limits, __m512 db) {
  if constexpr (kTaps == 3) {
    if (row.count == 3) return backward_groups<kTaps, kStride, kPhase, kHalf, 3>(row, half, limits, db);
    if (row.count == 2) return backward_groups<kTaps, kStride, kPhase, kHalf, 2>(row, half, limits, db);
    if (row.count == 1) return backward_groups<kTaps, kStride, kPhase, kHalf, 1>(row, half, limits, db);
  }
  return backward_groups<kTaps, kStride, kPhase, kHalf, 0>(row, half, limits, db);
}

template <int kTaps, int kStride, int kPhase, int kHalf>
FOVEA_BF16_INLINE void backward_half(const DepthwiseBackwardRow& row, const Limits& limits, std::int64_t block) {
  HalfRow half;
  half.x = row.x + block * row.x_block;
  for (int k = 0; k < row.count; ++k) half.g[k] = row.g[k] + block * row.g_block;
  const std::int64_t taps = block * row.kernel_h * kTaps * kBlock + kHalf * 16;
  half.w = row.w + taps;
  half.dw = row.dw + taps;
  half.exact = row.exact == nullptr ? nullptr : row.exact + (2 * block + kHalf) * row.exact_half;
  half.dx = row.exact != nullptr ? nullptr : row.dx + block * row.dx_block + kHalf * 16;
  half.pairs = row.exact != nullptr ? nullptr : row.pairs + (2 * block + kHalf) * row.pairs_half;
  float* const db = row.db + block * kBlock + kHalf * 16;
  _mm512_store_ps(db, backward_by_rows<kTaps, kStride, kPhase, kHalf>(row, half, limits, _mm512_load_ps(db)));
}

template <int kTaps, int kStride, int kPhase>
FOVEA_BF16 void backward_row(const DepthwiseBackwardRow& row) {
  const Limits limits(row.activation);
  for (std::int64_t block = 0; block < row.blocks; ++block) {
    backward_half<kTaps, kStride, kPhase, 0>(row, limits, block);
    backward_half<kTaps, kStride, kPhase, 1>(row, limits, block);
  }
}

template <int kTaps, int kStride>
void forward_by_layout(const DepthwiseRow& row, bool by_pairs) {
  by_pairs ? forward_row<kTaps, kStride, true>(row) : forward_row<kTaps, kStride, false>(row);
}

template <int kTaps, int kStride>
void backward_by_phase(const DepthwiseBackwardRow& row) {
  if (kStride == 1 || row.left % 2 == 0) {
    backward_row<kTaps, kStride, 0>(row);
  } else {
    backward_row<kTaps, kStride, kStride - 1>(row);
  }
}

}  // namespace

void depthwise(const graph::Window& window, const DepthwiseRow& row, bool by_pairs) {
  if (window.kernel_w == 3)
    return window.stride == 1 ? forward_by_layout<3, 1>(row, by_pairs) : forward_by_layout<3, 2>(row, by_pairs);
  return window.stride == 1 ? forward_by_layout<5, 1>(row, by_pairs) : forward_by_layout<5, 2>(row, by_pairs);
}

void depthwise_backward(const graph::Window& window, const DepthwiseBackwardRow& row) {
  if (window.kernel_w == 3) return window.stride == 1 ? backward_by_phase<3, 1>(row) : backward_by_phase<3, 2>(row);
  return window.stride == 1 ? backward_by_phase<5, 1>(row) : backward_by_phase<5, 2>(row);
}

}  // namespace fovea::cpu::bf16

#endif
