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
    const float* taps = w + r * kTaps * kBlock;
    __m512i seen[kSeen];
    for (int i = 0; i < kSeen; ++i) seen[i] = _mm512_load_si512(x + i * kBlock);
    __m512 half[kSeen];
    for (int i = 0; i < kSeen; ++i) half[i] = even_half(seen[i]);
    for (int s = 0; s < kTaps; ++s) {
      const __m512 weight = _mm512_load_ps(taps + s * kBlock);
      for (int j = 0; j < kColumns; ++j) even[j] = _mm512_fmadd_ps(half[j * kStride + s], weight, even[j]);
    }
    for (int i = 0; i < kSeen; ++i) half[i] = odd_half(seen[i]);
    for (int s = 0; s < kTaps; ++s) {
      const __m512 weight = _mm512_load_ps(taps + s * kBlock + 16);
      for (int j = 0; j < kColumns; ++j) odd[j] = _mm512_fmadd_ps(half[j * kStride + s], weight, odd[j]);
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

/// Columns [first, first + kColumns) of x, an even number, of which the last counts for the bias if `whole`.
template <int kColumns, int kTaps, int kStride, int kPhase, int kHalf>
FOVEA_BF16_INLINE __m512 backward_columns(const DepthwiseBackwardRow& row, const HalfRow& half, const Limits& limits,
                                          std::int64_t first, bool whole, __m512 db) {
  static_assert(kColumns % kStride == 0);
  constexpr int kLow = column_of<kStride, kPhase>(-(kTaps - 1));
  constexpr int kSeen = column_of<kStride, kPhase>(kColumns - 1) - kLow + 1;
  const std::int64_t g_first = (first + row.left - kPhase) / kStride + kLow;
  __m512 x[kColumns], dx[kColumns];
  for (int j = 0; j < kColumns; ++j) {
    x[j] = half_of<kHalf>(half.x + (first + j) * kBlock);
    dx[j] = _mm512_setzero_ps();
  }
  for (int k = 0; k < row.count; ++k) {
    const Bf16* g = half.g[k] + g_first * kBlock;
    const std::int64_t taps = static_cast<std::int64_t>(row.tap[k]) * kTaps * kBlock;
    __m512 seen[kSeen];
    for (int i = 0; i < kSeen; ++i) seen[i] = half_of<kHalf>(g + i * kBlock);
    for (int s = 0; s < kTaps; ++s) {
      const __m512 weight = _mm512_load_ps(half.w + taps + s * kBlock);
      __m512 sum = _mm512_load_ps(half.dw + taps + s * kBlock);
      for (int j = 0; j < kColumns; ++j) {
        if ((j + kPhase + kTaps * kStride - s) % kStride != 0) continue;
        const __m512 gradient = seen[column_of<kStride, kPhase>(j - s) - kLow];
        dx[j] = _mm512_fmadd_ps(weight, gradient, dx[j]);
        sum = _mm512_fmadd_ps(x[j], gradient, sum);
      }
      _mm512_store_ps(half.dw + taps + s * kBlock, sum);
    }
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
  float* const db_at = row.db + block * kBlock + kHalf * 16;
  __m512 db = _mm512_load_ps(db_at);
  std::int64_t first = 0;
  const auto groups = [&](auto columns) FOVEA_BF16 {
    constexpr int kColumns = decltype(columns)::value;
    for (; first + kColumns <= row.even_width; first += kColumns) {
      db = backward_columns<kColumns, kTaps, kStride, kPhase, kHalf>(row, half, limits, first, first + kColumns <= row.width, db);
    }
  };
  // The more at once, the fewer sums are loaded and stored, as far as registers go.
  if constexpr (kTaps == 3 || kStride == 2) groups(std::integral_constant<int, 8>());
  groups(std::integral_constant<int, 4>());
  groups(std::integral_constant<int, 2>());
  _mm512_store_ps(db_at, db);
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
