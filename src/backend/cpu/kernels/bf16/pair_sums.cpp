// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/pair_sums.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "backend/cpu/kernels/bf16/vectors.h"

namespace fovea::cpu::bf16 {
namespace {

constexpr std::int64_t kWoven = kPair * kVector;  ///< numbers in a vector of pairs

/// Channels of a that are summed in registers at once, by the number of vectors: beside what is loaded, 24 registers.
constexpr std::int64_t most_channels(std::int64_t vectors) { return 24 / vectors; }

/// Sums of a vector of columns, or of its first half, which takes half the time where vectors go through the unit in two halves.
struct Whole {
  using Sum = __m512;
  static FOVEA_BF16_INLINE Sum zero() { return _mm512_setzero_ps(); }
  static FOVEA_BF16_INLINE Sum load(const float* from) { return _mm512_loadu_ps(from); }
  static FOVEA_BF16_INLINE void store(Sum sum, float* to) { _mm512_storeu_ps(to, sum); }
  static FOVEA_BF16_INLINE __m512bh pairs(const Bf16* from) { return (__m512bh)_mm512_loadu_si512(from); }
  static FOVEA_BF16_INLINE __m512bh spread(std::int32_t pair) { return (__m512bh)_mm512_set1_epi32(pair); }
  static FOVEA_BF16_INLINE Sum add(Sum sum, __m512bh a, __m512bh b) { return _mm512_dpbf16_ps(sum, a, b); }
  static FOVEA_BF16_INLINE Sum total(Sum a, Sum b) { return _mm512_add_ps(a, b); }
};
struct Half {
  using Sum = __m256;
  static FOVEA_BF16_INLINE Sum zero() { return _mm256_setzero_ps(); }
  static FOVEA_BF16_INLINE Sum load(const float* from) { return _mm256_loadu_ps(from); }
  static FOVEA_BF16_INLINE void store(Sum sum, float* to) { _mm512_storeu_ps(to, _mm512_zextps256_ps512(sum)); }
  static FOVEA_BF16_INLINE __m256bh pairs(const Bf16* from) {
    return (__m256bh)_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  static FOVEA_BF16_INLINE __m256bh spread(std::int32_t pair) { return (__m256bh)_mm256_set1_epi32(pair); }
  static FOVEA_BF16_INLINE Sum add(Sum sum, __m256bh a, __m256bh b) { return _mm256_dpbf16_ps(sum, a, b); }
  static FOVEA_BF16_INLINE Sum total(Sum a, Sum b) { return _mm256_add_ps(a, b); }
};

FOVEA_BF16_INLINE std::int32_t pair_at(const Bf16* a) {
  std::int32_t pair;
  std::memcpy(&pair, a, sizeof pair);
  return pair;
}

/// Calls body(a, b) at the beginning of each pair of rows.
template <class Body>
FOVEA_BF16_INLINE void for_rows(const PairSum& s, const Body& body) {
  for (std::int64_t sheet = 0; sheet < s.sheets; ++sheet) {
    const Bf16* a = s.a.data + sheet * s.a.sheet * kPair;
    const Bf16* b = s.b.data + sheet * s.b.sheet * kPair;
    for (std::int64_t row = 0; row < s.rows; ++row, a += s.a.row * kPair, b += s.b.row * kPair) body(a, b);
  }
}

/// Sums that are grown next: they follow those of this tile.
template <std::int64_t kFloats>
FOVEA_BF16_INLINE void fetch_next(const float* sums) {
  constexpr auto kLine = kCacheLine / static_cast<std::int64_t>(sizeof(float));
  for (std::int64_t i = 0; i < kFloats; i += kLine) _mm_prefetch(reinterpret_cast<const char*>(sums + kFloats + i), _MM_HINT_T0);
}

template <class Lanes, int kChannels, int kVectors>
FOVEA_BF16 void sum_tile(const PairSum& s, bool begin, Ahead& further) {
  typename Lanes::Sum sums[kChannels][kVectors];
  for (int i = 0; i < kChannels; ++i) {
    for (int j = 0; j < kVectors; ++j) {
      sums[i][j] = begin ? Lanes::zero() : Lanes::load(s.sums + (i * kVectors + j) * kVector);
    }
  }
  if (!begin) fetch_next<kChannels * kVectors * kVector>(s.sums);
  Ahead ahead = further;
  const std::int64_t a_step = s.a.position * kPair, b_step = s.b.position * kPair;
  for_rows(s, [&](const Bf16* a, const Bf16* b) FOVEA_BF16 {
    for (std::int64_t column = 0; column < s.columns; ++column, a += a_step, b += b_step) {
      fetch(ahead);
      decltype(Lanes::pairs(b)) vectors[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) vectors[j] = Lanes::pairs(b + j * kWoven);
#pragma GCC unroll 24
      for (int i = 0; i < kChannels; ++i) {
        const auto factor = Lanes::spread(pair_at(a + i * kPair));
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sums[i][j] = Lanes::add(sums[i][j], factor, vectors[j]);
      }
    }
  });
  for (int i = 0; i < kChannels; ++i) {
    for (int j = 0; j < kVectors; ++j) Lanes::store(sums[i][j], s.sums + (i * kVectors + j) * kVector);
  }
  further = ahead;
}

/// Of a single channel: the few sums of a position would wait for each other, so four positions in a row have sums of their own.
template <class Lanes, int kVectors>
FOVEA_BF16 void sum_alone(const PairSum& s, bool begin) {
  constexpr int kOwn = 4;
  typename Lanes::Sum sums[kOwn][kVectors];
  for (int i = 0; i < kOwn; ++i) {
    for (int j = 0; j < kVectors; ++j) sums[i][j] = Lanes::zero();
  }
  const auto add = [&](int own, const Bf16* a, const Bf16* b) FOVEA_BF16 {
    const auto factor = Lanes::spread(pair_at(a));
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) sums[own][j] = Lanes::add(sums[own][j], factor, Lanes::pairs(b + j * kWoven));
  };
  const std::int64_t a_step = s.a.position * kPair, b_step = s.b.position * kPair;
  for_rows(s, [&](const Bf16* a, const Bf16* b) FOVEA_BF16 {
    std::int64_t column = 0;
    for (; column + kOwn <= s.columns; column += kOwn, a += kOwn * a_step, b += kOwn * b_step) {
#pragma GCC unroll 4
      for (int i = 0; i < kOwn; ++i) add(i, a + i * a_step, b + i * b_step);
    }
    for (; column < s.columns; ++column, a += a_step, b += b_step) add(0, a, b);
  });
  for (int j = 0; j < kVectors; ++j) {
    auto sum = Lanes::total(Lanes::total(sums[0][j], sums[1][j]), Lanes::total(sums[2][j], sums[3][j]));
    if (!begin) sum = Lanes::total(sum, Lanes::load(s.sums + j * kVector));
    Lanes::store(sum, s.sums + j * kVector);
  }
}

/// The columns that the taps see to which some channels belong.
Range seen_by(const PairSum& sum, Range channels) {
  Range all{sum.columns, 0};
  for (std::int64_t tap = channels.begin / sum.tap; tap * sum.tap < channels.end; ++tap)
    all = {std::min(all.begin, sum.seen[tap].begin), std::max(all.end, sum.seen[tap].end)};
  return {std::min(all.begin, all.end), all.end};
}

using SumTile = void (*)(const PairSum&, bool, Ahead&);
/// [channels - 1]
template <class Lanes, int kVectors, int... kIndex>
constexpr std::array<SumTile, sizeof...(kIndex)> tiles(std::integer_sequence<int, kIndex...> /*channels*/) {
  return {sum_tile<Lanes, kIndex + 1, kVectors>...};
}
template <class Lanes, int kVectors>
void sum_by(const PairSum& sum, bool begin, Ahead& ahead) {
  static constexpr auto kTiles = tiles<Lanes, kVectors>(std::make_integer_sequence<int, most_channels(kVectors)>());
  if (sum.channels == 1) return sum_alone<Lanes, kVectors>(sum, begin);
  const std::int64_t count = sum_tiles(sum.channels, kVectors);
  for (std::int64_t i = 0; i < count; ++i) {  // of about one size: a last one of few channels would wait for its own sums
    const Range range = part_of(sum.channels, count, i);
    PairSum tile = sum;
    tile.a.data += range.begin * kPair;
    tile.sums += range.begin * kVectors * kVector;
    if (sum.seen != nullptr) {
      const Range columns = seen_by(sum, range);
      tile.a.data += columns.begin * sum.a.position * kPair;
      tile.b.data += columns.begin * sum.b.position * kPair;
      tile.columns = columns.size();
    }
    kTiles[static_cast<std::size_t>(range.size() - 1)](tile, begin, ahead);
  }
}

/// Numbers `from`, from + 1, ... of one vector, each followed by that of another.
FOVEA_BF16_INLINE __m512i in_turn(int from) {
  const __m512i first = _mm512_set1_epi32(from | (from + static_cast<int>(kWoven)) << 16);
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm512_add_epi16(first, _mm512_or_si512(lane, _mm512_slli_epi32(lane, 16)));
}

}  // namespace

FOVEA_BF16 void weave(const float* first, const float* second, std::int64_t count, Bf16* pairs) {
  for (std::int64_t i = 0; i < count; i += kVector) {
    const __mmask16 mask = first_lanes(count - i), none = 0;
    const __m512 even = _mm512_maskz_loadu_ps(first == nullptr ? none : mask, first + i);
    const __m512 odd = _mm512_maskz_loadu_ps(second == nullptr ? none : mask, second + i);
    _mm512_mask_storeu_epi32(pairs + i * kPair, mask, round_interleaved(even, odd));
  }
}

FOVEA_BF16 void weave(const Bf16* first, const Bf16* second, std::int64_t count, Bf16* pairs) {
  std::int64_t i = 0;
  for (; i + kWoven <= count && first != nullptr && second != nullptr; i += kWoven) {
    const __m512i even = _mm512_loadu_si512(first + i), odd = _mm512_loadu_si512(second + i);
    _mm512_storeu_si512(pairs + i * kPair, _mm512_permutex2var_epi16(even, in_turn(0), odd));
    _mm512_storeu_si512(pairs + i * kPair + kWoven, _mm512_permutex2var_epi16(even, in_turn(static_cast<int>(kVector)), odd));
  }
  for (; i < count; i += kVector) {
    const __mmask16 mask = first_lanes(count - i), none = 0;
    const __m256i even = _mm256_maskz_loadu_epi16(first == nullptr ? none : mask, first + i);
    const __m256i odd = _mm256_maskz_loadu_epi16(second == nullptr ? none : mask, second + i);
    const __m512i both = _mm512_or_si512(_mm512_cvtepu16_epi32(even), _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
    _mm512_mask_storeu_epi32(pairs + i * kPair, mask, both);
  }
}

std::int64_t sum_tiles(std::int64_t channels, std::int64_t vectors) {
  return (channels + most_channels(vectors) - 1) / most_channels(vectors);
}

void sum_pairs(const PairSum& sum, bool begin, Ahead& ahead) {
  switch (sum.vectors) {
    case 1: return sum.half ? sum_by<Half, 1>(sum, begin, ahead) : sum_by<Whole, 1>(sum, begin, ahead);
    case 2: return sum_by<Whole, 2>(sum, begin, ahead);
    case 3: return sum_by<Whole, 3>(sum, begin, ahead);
    default: return sum_by<Whole, 4>(sum, begin, ahead);
  }
}

FOVEA_BF16 void total_turned(const SumParts& from, std::int64_t vector, std::int64_t channels, std::int64_t count, float* to,
                             std::int64_t row, std::int64_t step) {
  const std::int64_t next = from.vectors * kVector;  // floats from one channel to the next
  for (std::int64_t first = 0; first < channels; first += kVector) {
    const std::int64_t here = channels - first < kVector ? channels - first : kVector;
    __m512i rows[16];
    for (std::int64_t c = 0; c < kVector; ++c) {
      const float* at = from.sums + (first + c) * next + vector * kVector;
      __m512 total = c < here ? _mm512_loadu_ps(at) : _mm512_setzero_ps();
      for (std::int64_t p = 1; p < from.parts && c < here; ++p) total = _mm512_add_ps(total, _mm512_loadu_ps(at + p * from.part));
      rows[c] = _mm512_castps_si512(total);
    }
    transpose(rows);
    for (std::int64_t k = 0; k < count; ++k) {
      float* const out = to + k * row + first * step;
      if (step == 1) {
        _mm512_mask_storeu_epi32(out, first_lanes(here), rows[k]);
        continue;
      }
      alignas(64) float turned[kVector];
      _mm512_store_si512(turned, rows[k]);
      for (std::int64_t c = 0; c < here; ++c) out[c * step] = turned[c];
    }
  }
}

}  // namespace fovea::cpu::bf16

#else

namespace fovea::cpu::bf16 {

// There is no unit for bf16, so nothing calls these.
void weave(const float* /*first*/, const float* /*second*/, std::int64_t /*count*/, Bf16* /*pairs*/) {}
void weave(const Bf16* /*first*/, const Bf16* /*second*/, std::int64_t /*count*/, Bf16* /*pairs*/) {}
void sum_pairs(const PairSum& /*sum*/, bool /*begin*/, Ahead& /*ahead*/) {}
std::int64_t sum_tiles(std::int64_t /*channels*/, std::int64_t /*vectors*/) { return 1; }
void total_turned(const SumParts& /*from*/, std::int64_t /*vector*/, std::int64_t /*channels*/, std::int64_t /*count*/,
                  float* /*to*/, std::int64_t /*row*/, std::int64_t /*step*/) {}

}  // namespace fovea::cpu::bf16

#endif
