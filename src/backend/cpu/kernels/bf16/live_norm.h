// Fovea: batch normalisation between rows of a tensor that is kept in bf16 and a fused block's blocks and pairs (products.h). To
// be called where a unit for bf16 is available. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/batch_norm.h"
#include "backend/cpu/kernels/bf16/round.h"
#include "graph/ops.h"

namespace fovea::cpu::bf16 {

/// out (count) = x rounded, as floats.
void round_floats(const float* x, std::int64_t count, float* out);
/// out (rows, channels) = x rounded, less the pivot.
void centre_rounded(const float* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* out);

/// out (rows, channels) = a, which is in blocks a_block numbers apart; sum and squares grow by those of a - pivot.
void moments_from_blocks(const Bf16* a, std::int64_t a_block, std::int64_t rows, std::int64_t channels, const float* pivot,
                         Bf16* out, float* sum, float* squares);

/// out = activation(z) of x (rows, channels): in blocks out_block numbers apart, or by pairs with out_half between halves, and
/// zeros up to a multiple of 32 rows.
void normalise_to_blocks(graph::Activation activation, const Normalisation& by, const Bf16* x, std::int64_t rows,
                         std::int64_t channels, Bf16* out, std::int64_t out_block);
void normalise_to_pairs(graph::Activation activation, const Normalisation& by, const Bf16* x, std::int64_t rows,
                        std::int64_t channels, Bf16* out, std::int64_t out_half);

}  // namespace fovea::cpu::bf16
