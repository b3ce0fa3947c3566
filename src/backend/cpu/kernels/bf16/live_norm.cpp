// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/live_norm.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <algorithm>

#include "backend/cpu/kernels/bf16/channels.h"
#include "backend/cpu/kernels/bf16/pairs.h"
#include "backend/cpu/kernels/bf16/products.h"

namespace fovea::cpu::bf16 {
namespace {

FOVEA_BF16_INLINE Channels normalised(const Group& group, const BothBy& by, const Limits& limits, const Bf16* row) {
  const Channels x = group.load_row(row);
  return {limits.clamp(by.low.normalised(by.low.centred(x.low))), limits.clamp(by.high.normalised(by.high.centred(x.high)))};
}

}  // namespace

FOVEA_BF16 void round_floats(const float* x, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; i += kChannelsTogether) {
    const Group group(i, count);
    group.store(unfold(fold(group.load(x))), out);
  }
}

FOVEA_BF16 void centre_rounded(const float* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* out) {
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const Channels origin = group.load(pivot);
    for (int i = 0; i < decltype(count)::value; ++i) {
      const Channels value = unfold(fold(group.load(x + (row + i) * channels)));
      group.store(value - origin, out + (row + i) * channels);
    }
  });
}

FOVEA_BF16 void moments_from_blocks(const Bf16* a, std::int64_t a_block, std::int64_t rows, std::int64_t channels,
                                    const float* pivot, Bf16* out, float* sum, float* squares) {
  const bool stream = can_stream(out, channels);
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const Channels origin = group.load(pivot);
    GroupSums sums;
    const Bf16* from = a + group.first / kBlock * a_block + row * kBlock;
    for (int i = 0; i < decltype(count)::value; ++i) {
      const Channels value = unfold(_mm512_load_si512(from + i * kBlock));
      const Channels centred = value - origin;
      sums.add(centred, centred);
      group.store_row(value, out + (row + i) * channels, stream);
    }
    sums.end(group, sum, squares);
  });
  if (stream) _mm_sfence();
}

FOVEA_BF16 void normalise_to_blocks(graph::Activation activation, const Normalisation& by, const Bf16* x, std::int64_t rows,
                                    std::int64_t channels, Bf16* out, std::int64_t out_block) {
  const Limits limits(activation);
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const BothBy both(group, by);
    Bf16* const to = out + group.first / kBlock * out_block + row * kBlock;
    for (int i = 0; i < decltype(count)::value; ++i)
      _mm512_store_si512(to + i * kBlock, fold(normalised(group, both, limits, x + (row + i) * channels)));
  });
}

FOVEA_BF16 void normalise_to_pairs(graph::Activation activation, const Normalisation& by, const Bf16* x, std::int64_t rows,
                                   std::int64_t channels, Bf16* out, std::int64_t out_half) {
  constexpr std::int64_t kTogether = 32;
  const Limits limits(activation);
  const __m512i none = _mm512_setzero_si512();
  // Rows lie one after the other in memory, so they are read in their order.
  for (std::int64_t row = 0; row < (rows + kTogether - 1) / kTogether * kTogether; row += 2) {
    for (std::int64_t c = 0; c < channels; c += kChannelsTogether) {
      const Group group(c, channels);
      const BothBy both(group, by);
      const auto at = [&](std::int64_t of)
                          FOVEA_BF16 { return of < rows ? fold(normalised(group, both, limits, x + of * channels)) : none; };
      const Pairs pairs = pairs_of(at(row), at(row + 1));
      Bf16* const even = out + c / kBlock * 2 * out_half + row * 16;
      _mm512_store_si512(even, pairs.even);
      _mm512_store_si512(even + out_half, pairs.odd);
    }
  }
}

}  // namespace fovea::cpu::bf16

#else

namespace fovea::cpu::bf16 {

// There is no unit for bf16, so nothing calls these.
void round_floats(const float* /*x*/, std::int64_t /*count*/, float* /*out*/) {}
void centre_rounded(const float* /*x*/, std::int64_t /*rows*/, std::int64_t /*channels*/, const float* /*pivot*/,
                    float* /*out*/) {}

}  // namespace fovea::cpu::bf16

#endif
