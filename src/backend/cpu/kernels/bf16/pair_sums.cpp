// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/pair_sums.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <array>
#include <cstring>
#include <utility>

#include "backend/cpu/kernels/bf16/vectors.h"
#include "core/range.h"

namespace fovea::cpu::bf16 {
namespace {

constexpr std::int64_t kWoven = kPair * kVector;  ///< numbers in a vector of pairs

/// Channels of a that are summed in registers at once, by the number of vectors: beside what is loaded, 24 registers.
constexpr std::int64_t most_channels(std::int64_t vectors) { return 24 / vectors; }

template <int kChannels, int kVectors>
FOVEA_BF16 void sum_tile(const PairSum& s, bool begin) {
  __m512 sums[kChannels][kVectors];
  for (int i = 0; i < kChannels; ++i) {
    for (int j = 0; j < kVectors; ++j)
      sums[i][j] = begin ? _mm512_setzero_ps() : _mm512_loadu_ps(s.sums + (i * kVectors + j) * kVector);
  }
  const std::int64_t a_step = s.a.position * kPair, b_step = s.b.position * kPair;
  for (std::int64_t row = 0; row < s.rows; ++row) {
    const Bf16* a = s.a.data + row * s.a.row * kPair;
    const Bf16* b = s.b.data + row * s.b.row * kPair;
    for (std::int64_t column = 0; column < s.columns; ++column, a += a_step, b += b_step) {
      __m512bh vectors[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) vectors[j] = (__m512bh)_mm512_loadu_si512(b + j * kWoven);
#pragma GCC unroll 24
      for (int i = 0; i < kChannels; ++i) {
        std::int32_t pair;
        std::memcpy(&pair, a + i * kPair, sizeof pair);
        const auto factor = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], factor, vectors[j]);
      }
    }
  }
  for (int i = 0; i < kChannels; ++i) {
    for (int j = 0; j < kVectors; ++j) _mm512_storeu_ps(s.sums + (i * kVectors + j) * kVector, sums[i][j]);
  }
}

using SumTile = void (*)(const PairSum&, bool);
/// [channels - 1]
template <int kVectors, int... kIndex>
constexpr std::array<SumTile, sizeof...(kIndex)> tiles(std::integer_sequence<int, kIndex...> /*channels*/) {
  return {sum_tile<kIndex + 1, kVectors>...};
}
template <int kVectors>
void sum_by(const PairSum& sum, bool begin) {
  static constexpr auto kTiles = tiles<kVectors>(std::make_integer_sequence<int, most_channels(kVectors)>());
  constexpr std::int64_t kMost = most_channels(kVectors);
  const std::int64_t count = (sum.channels + kMost - 1) / kMost;
  for (std::int64_t i = 0; i < count; ++i) {  // of about one size: a last one of few channels would wait for its own sums
    const Range range = part_of(sum.channels, count, i);
    PairSum tile = sum;
    tile.a.data += range.begin * kPair;
    tile.sums += range.begin * kVectors * kVector;
    kTiles[static_cast<std::size_t>(range.size() - 1)](tile, begin);
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

void sum_pairs(const PairSum& sum, bool begin) {
  switch (sum.vectors) {
    case 1: return sum_by<1>(sum, begin);
    case 2: return sum_by<2>(sum, begin);
    case 3: return sum_by<3>(sum, begin);
    default: return sum_by<4>(sum, begin);
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
void sum_pairs(const PairSum& /*sum*/, bool /*begin*/) {}
void total_turned(const SumParts& /*from*/, std::int64_t /*vector*/, std::int64_t /*channels*/, std::int64_t /*count*/,
                  float* /*to*/, std::int64_t /*row*/, std::int64_t /*step*/) {}

}  // namespace fovea::cpu::bf16

#endif
