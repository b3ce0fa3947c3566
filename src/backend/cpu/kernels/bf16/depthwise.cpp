// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/depthwise.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <type_traits>

#include "backend/cpu/kernels/bf16/depthwise_taps.h"
#include "backend/cpu/kernels/bf16/pairs.h"
#include "backend/cpu/kernels/bf16/vectors.h"

namespace fovea::cpu::bf16 {
namespace {

constexpr int floor_half(int a) { return a >= 0 ? a / 2 : -((1 - a) / 2); }

FOVEA_BF16_INLINE __m512 add_pairs(__m512 sum, __m512i a, __m512i b) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }

/// The second position of a pair and the first of the next one.
FOVEA_BF16_INLINE __m512i between(__m512i pair, __m512i next) {
  alignas(64) static constexpr std::uint16_t kOrder[32] = {1,  32, 3,  34, 5,  36, 7,  38, 9,  40, 11, 42, 13, 44, 15, 46,
                                                           17, 48, 19, 50, 21, 52, 23, 54, 25, 56, 27, 58, 29, 60, 31, 62};
  return _mm512_permutex2var_epi16(pair, _mm512_load_si512(kOrder), next);
}

/// Columns [first, first + kColumns) of one half of a row of y, an even number. kPhase: where in a pair the window begins for
/// column 0.
template <int kColumns, int kTaps, int kStride, int kPhase>
FOVEA_BF16_INLINE void add_row(const Bf16* x, const Bf16* w, __m512 (&y)[kColumns]) {
  constexpr int kSlots = slots_of(kTaps);
  constexpr int kLast = (kPhase + (kColumns - 1) * kStride) / 2 + kSlots - 1;
  __m512i taps[2][kSlots];
  for (int kind = 0; kind < 2; ++kind) {
    if (kStride == 2 && kind != kPhase) continue;
    for (int i = 0; i < kSlots; ++i) taps[kind][i] = _mm512_load_si512(w + (kind * kSlots + i) * kPairNumbers);
  }
#pragma GCC unroll 16
  for (int pair = 0; pair <= kLast; ++pair) {
    const __m512i numbers = _mm512_load_si512(x + pair * kPairNumbers);
#pragma GCC unroll 8
    for (int j = 0; j < kColumns; ++j) {
      const int begin = kPhase + j * kStride, slot = pair - begin / 2;
      if (slot < 0 || slot >= kSlots) continue;
      y[j] = add_pairs(y[j], numbers, taps[begin % 2][slot]);
    }
  }
}

/// A row of one block of y.
struct BlockRow {
  const Bf16* const* x;
  std::int64_t at;  ///< the block's numbers in each
  Bf16* y;
};

template <int kColumns, int kTaps, int kStride, int kPhase, bool kPairs>
FOVEA_BF16_INLINE void forward_columns(const DepthwiseRows& rows, const BlockRow& row, const RoundedLimits& limits, const Bf16* w,
                                       const float* b, std::int64_t first) {
  constexpr std::int64_t kRow = 2 * slots_of(kTaps) * kPairNumbers;
  __m512 even[kColumns], odd[kColumns];
  for (int j = 0; j < kColumns; ++j) {
    even[j] = _mm512_load_ps(b);
    odd[j] = _mm512_load_ps(b + 16);
  }
  for (int r = 0; r < rows.kernel_h; ++r, w += kRow) {
    const Bf16* x = row.x[r] + row.at + first * kStride * 16;
    add_row<kColumns, kTaps, kStride, kPhase>(x, w, even);
    add_row<kColumns, kTaps, kStride, kPhase>(x + rows.x_half, w + rows.kernel_h * kRow, odd);
  }
  for (int j = 0; j < kColumns; j += 2) {
    if constexpr (kPairs) {
      Bf16* const y = row.y + (first + j) * 16;
      _mm512_store_si512(y, limits.clamp(round_interleaved(even[j], even[j + 1])));
      _mm512_store_si512(y + rows.y_step, limits.clamp(round_interleaved(odd[j], odd[j + 1])));
    } else {
      Bf16* const y = row.y + (first + j) * kBlock;
      _mm512_store_si512(y, limits.clamp(round_interleaved(even[j], odd[j])));
      _mm512_store_si512(y + kBlock, limits.clamp(round_interleaved(even[j + 1], odd[j + 1])));
    }
  }
}

// All rows of a block before the next one: what several of them read stays in the first-level cache.
template <int kTaps, int kStride, int kPhase, bool kPairs>
FOVEA_BF16 void forward_rows(const DepthwiseRows& rows) {
  const RoundedLimits limits(rows.activation);
  for (std::int64_t block = 0; block < rows.blocks; ++block) {
    const Bf16* w = rows.w + 4 * block * rows.kernel_h * slots_of(kTaps) * kPairNumbers;
    const float* b = rows.b + block * kBlock;
    BlockRow row{rows.x, 2 * block * rows.x_half, rows.y + block * rows.y_step * (kPairs ? 2 : 1)};
    for (std::int64_t i = 0; i < rows.rows; ++i, row.x += rows.kernel_h, row.y += rows.y_row) {
      std::int64_t first = 0;
      for (; first + 8 <= rows.out_width; first += 8)
        forward_columns<8, kTaps, kStride, kPhase, kPairs>(rows, row, limits, w, b, first);
      if (first + 4 <= rows.out_width) {
        forward_columns<4, kTaps, kStride, kPhase, kPairs>(rows, row, limits, w, b, first);
        first += 4;
      }
      if (first < rows.out_width) forward_columns<2, kTaps, kStride, kPhase, kPairs>(rows, row, limits, w, b, first);
    }
  }
}

/// The columns of the gradient that those of x meet, from a multiple of four on.
template <int kTaps, int kStride, int kLeft>
struct Meeting {
  static constexpr int last(int j) { return last_tap(kTaps, kStride, kLeft, j); }
  static constexpr Slots slots(int j) { return slots_of(kTaps, kStride, kLeft, j); }
  static constexpr int column(int j, int s) { return kStride == 1 ? j + kLeft - s : floor_half(j + kLeft - s); }
};

/// kCount columns of a row of the gradient, by pairs, from column kFirst on: as they lie, and those between.
template <int kFirst, int kCount>
struct Seen {
  static constexpr int kFirstPair = floor_half(kFirst), kPairs = floor_half(kFirst + kCount - 1) - kFirstPair + 2;
  __m512i pairs[kPairs], shifted[kPairs];

  FOVEA_BF16_INLINE explicit Seen(const Bf16* g) {
    for (int i = 0; i < kPairs; ++i) pairs[i] = _mm512_load_si512(g + (kFirstPair + i) * kPairNumbers);
    for (int i = 0; i + 1 < kPairs; ++i) shifted[i] = between(pairs[i], pairs[i + 1]);
  }
  /// The pair that begins at a column.
  [[nodiscard]] FOVEA_BF16_INLINE __m512i at(int column) const {
    const int pair = floor_half(column);
    return column == 2 * pair ? pairs[pair - kFirstPair] : shifted[pair - kFirstPair];
  }
};

/// A row of one half of a block.
struct HalfRow {
  const MetRow& met;
  std::int64_t x_at, g_at;  ///< the half's numbers in x and in the gradient
  const Bf16* w;
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

/// Columns of x by pairs, as sums of taps multiply them: neighbours, or at a stride of 2 even columns and odd ones.
template <int kColumns, int kStride>
struct Columns {
  static constexpr int kPairs = kColumns / 2;
  __m512i pairs[kPairs];
  Pairs split[(kPairs + 1) / 2];

  FOVEA_BF16_INLINE explicit Columns(const Bf16* x) {
    for (int i = 0; i < kPairs; ++i) pairs[i] = _mm512_load_si512(x + i * kPairNumbers);
    for (int i = 0; i < kPairs && kStride == 2; i += 2)
      split[i / 2] = pairs_of(pairs[i], i + 1 < kPairs ? pairs[i + 1] : _mm512_setzero_si512());
  }
  [[nodiscard]] FOVEA_BF16_INLINE __m512 column(int j) const {
    return j % 2 == 0 ? even_half(pairs[j / 2]) : odd_half(pairs[j / 2]);
  }
};

/// What columns of x meet in row k of the gradient, from `g` on: to their gradients and the sums.
template <int kColumns, int kTaps, int kStride, int kLeft, class Sums>
FOVEA_BF16_INLINE void meet_row(const Bf16* g, const Bf16* w, int k, const Columns<kColumns, kStride>& x, __m512 (&dx)[kColumns],
                                Sums& sums) {
  using Met = Meeting<kTaps, kStride, kLeft>;
  constexpr int kFirst = Met::column(0, kTaps - 1);
  const Seen<kFirst, Met::column(kColumns - 1, 0) - kFirst + 2> seen(g);
  constexpr int kSlots = slots_of(kTaps);
  __m512i taps[kSlots];
  for (int i = 0; i < kSlots; ++i) taps[i] = _mm512_load_si512(w + i * kPairNumbers);
#pragma GCC unroll 8
  for (int j = 0; j < kColumns; ++j) {
    const int column = Met::column(j, Met::last(j));
    const Slots slots = Met::slots(j);
#pragma GCC unroll 3
    for (int i = 0; i < slots.count; ++i) dx[j] = add_pairs(dx[j], seen.at(column + 2 * i), taps[slots.first + i]);
  }
#pragma GCC unroll 5
  for (int s = 0; s < kTaps; ++s) {
    __m512 sum = sums.get(k, s);
    if constexpr (kStride == 1) {
#pragma GCC unroll 4
      for (int j = 0; j < kColumns; j += 2) sum = add_pairs(sum, x.pairs[j / 2], seen.at(Met::column(j, s)));
    } else {
      const int odd = (s + kLeft) % 2;
#pragma GCC unroll 2
      for (int j = 0; j < kColumns; j += 4)
        sum = add_pairs(sum, odd != 0 ? x.split[j / 4].odd : x.split[j / 4].even, seen.at(Met::column(j + odd, s)));
    }
    sums.set(k, s, sum);
  }
}

/// Columns [first, first + kColumns) of x, from a multiple of four on, of which the last counts for the bias if `whole`.
template <int kColumns, int kTaps, int kStride, int kLeft, int kRows>
FOVEA_BF16_INLINE __m512 backward_columns(const HalfRow& half, const Limits& limits, std::int64_t first, bool whole,
                                          TapSums<kRows, kTaps>& sums, __m512 db) {
  const Columns<kColumns, kStride> x(half.met.x + half.x_at + first * 16);
  __m512 dx[kColumns];
  for (int j = 0; j < kColumns; ++j) dx[j] = _mm512_setzero_ps();
  const auto meet = [&](int k) FOVEA_BF16 {
    const Bf16* const g = half.met.g[k] + half.g_at + first / kStride * 16;
    const Bf16* const w = half.w + half.met.tap[k] * slots_of(kTaps) * kPairNumbers;
    meet_row<kColumns, kTaps, kStride, kLeft>(g, w, k, x, dx, sums);
  };
  if constexpr (kRows == 0) {
    for (int k = 0; k < half.met.count; ++k) meet(k);
  } else {
#pragma GCC unroll 3
    for (int k = 0; k < kRows; ++k) meet(k);
  }
  for (int j = 0; j < kColumns; ++j) {
    dx[j] = limits.through(x.column(j), dx[j]);
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

template <int kTaps, int kStride, int kLeft, int kRows>
FOVEA_BF16_INLINE __m512 backward_groups(const DepthwiseBackwardRows& rows, const HalfRow& half, const Limits& limits,
                                         __m512 db) {
  TapSums<kRows, kTaps> sums(half.dw, half.met.tap);
  std::int64_t first = 0;
  // The more at once, the fewer sums are loaded and stored, as far as registers go.
  if constexpr (kStride == 2) {
    for (; first + 8 <= rows.even_width; first += 8)
      db = backward_columns<8, kTaps, kStride, kLeft>(half, limits, first, first + 8 <= rows.width, sums, db);
  }
  for (; first + 4 <= rows.even_width; first += 4)
    db = backward_columns<4, kTaps, kStride, kLeft>(half, limits, first, first + 4 <= rows.width, sums, db);
  if (first < rows.even_width)
    db = backward_columns<2, kTaps, kStride, kLeft>(half, limits, first, first + 2 <= rows.width, sums, db);
  sums.put(half.dw, half.met.tap);
  return db;
}

template <int kTaps, int kStride, int kLeft>
FOVEA_BF16_INLINE __m512 backward_row(const DepthwiseBackwardRows& rows, const HalfRow& half, const Limits& limits, __m512 db) {
  if constexpr (kTaps == 3) {
    if (half.met.count == 3) return backward_groups<kTaps, kStride, kLeft, 3>(rows, half, limits, db);
    if (half.met.count == 2) return backward_groups<kTaps, kStride, kLeft, 2>(rows, half, limits, db);
    if (half.met.count == 1) return backward_groups<kTaps, kStride, kLeft, 1>(rows, half, limits, db);
  }
  return backward_groups<kTaps, kStride, kLeft, 0>(rows, half, limits, db);
}

/// kLeft is the padding as far as it moves columns by less than a pair of the gradient.
template <int kTaps, int kStride, int kLeft>
FOVEA_BF16 void backward_rows(const DepthwiseBackwardRows& rows, std::int64_t left) {
  const Limits limits(rows.activation);
  const std::int64_t moved = (left - kLeft) / kStride * 16;
  for (std::int64_t at = 0; at < 2 * rows.blocks; ++at) {
    const std::int64_t block = at / 2, in_block = at % 2 * 16;
    float* const db = rows.db + block * kBlock + in_block;
    float* const dw = rows.dw + block * rows.kernel_h * kTaps * kBlock + in_block;
    const Bf16* const w = rows.w + at * rows.kernel_h * slots_of(kTaps) * kPairNumbers;
    __m512 sum = _mm512_load_ps(db);
    for (std::int64_t i = 0; i < rows.rows; ++i) {
      const std::int64_t position = i * rows.even_width;
      HalfRow half{rows.met[i], at * rows.x_half, at * rows.g_half + moved, w, nullptr, nullptr, nullptr, dw};
      if (rows.exact != nullptr) {
        half.exact = rows.exact + at * rows.exact_half + position * 16;
      } else {
        half.dx = rows.dx + block * rows.dx_block + position * kBlock + in_block;
        half.pairs = rows.pairs + at * rows.pairs_half + position * 16;
      }
      sum = backward_row<kTaps, kStride, kLeft>(rows, half, limits, sum);
    }
    _mm512_store_ps(db, sum);
  }
}

template <int kTaps, int kStride, int kPhase>
void forward_by_layout(const DepthwiseRows& rows, bool by_pairs) {
  by_pairs ? forward_rows<kTaps, kStride, kPhase, true>(rows) : forward_rows<kTaps, kStride, kPhase, false>(rows);
}

/// body(taps, stride) as constants.
template <class Body>
void by_window(const graph::Window& window, const Body& body) {
  constexpr std::integral_constant<int, 1> kOne;
  constexpr std::integral_constant<int, 2> kTwo;
  constexpr std::integral_constant<int, 3> kThree;
  constexpr std::integral_constant<int, 5> kFive;
  if (window.kernel_w == 3) return window.stride == 1 ? body(kThree, kOne) : body(kThree, kTwo);
  window.stride == 1 ? body(kFive, kOne) : body(kFive, kTwo);
}

}  // namespace

void depthwise(const graph::Window& window, const DepthwiseRows& rows, bool by_pairs) {
  by_window(window, [&](auto taps, auto stride) {
    window.pad.left % 2 == 0 ? forward_by_layout<taps(), stride(), 0>(rows, by_pairs)
                             : forward_by_layout<taps(), stride(), 1>(rows, by_pairs);
  });
}

void depthwise_backward(const graph::Window& window, const DepthwiseBackwardRows& rows) {
  by_window(window, [&](auto taps, auto stride) {
    const std::int64_t left = window.pad.left;
    const std::int64_t moves = left % (2 * stride());
    if (moves == 0) return backward_rows<taps(), stride(), 0>(rows, left);
    if (moves == 1) return backward_rows<taps(), stride(), 1>(rows, left);
    if constexpr (stride() == 2) {
      moves == 2 ? backward_rows<taps(), stride(), 2>(rows, left) : backward_rows<taps(), stride(), 3>(rows, left);
    }
  });
}

}  // namespace fovea::cpu::bf16

#endif
