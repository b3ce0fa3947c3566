// Fovea: what fine-tuning asks the backend before it compiles: numbers of 32 bits or rounded ones, blocks as one op or op by op.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

#include "backend/backend.h"
#include "fovea/trainer.h"
#include "graph/compile.h"

namespace fovea::training {

/// What was asked for (kUnsupported where the device cannot), or bf16 where the backend has kernels for it. The device decides,
/// not a timing of it: the same machine gives the same bits.
Result<graph::Precision> choose_precision(PrecisionChoice asked, const Backend& backend);
/// The same of a device that is known by its name and by what it multiplies fast.
Result<graph::Precision> choose_precision(PrecisionChoice asked, std::string_view device,
                                          const std::function<bool(graph::Precision)>& has);

/// Why that one, for people: `chosen` for the device, and what a network's products are then rounded to. Empty where fp32 was
/// asked for.
[[nodiscard]] std::string_view precision_reason(PrecisionChoice asked, graph::Precision chosen, graph::Precision used);

/// `precision` as far as the backend has kernels for it: one may have them for blocks alone.
[[nodiscard]] graph::Precisions precisions_of(graph::Precision precision, const Backend& backend);

/// Whether the backend computes a block with the batch's own statistics as one op.
[[nodiscard]] graph::LiveBlocks live_blocks_of(const Backend& backend);

/// What the operands of a graph's products are rounded to, if those of any are.
[[nodiscard]] graph::Precision precision_of(const graph::Graph& graph);

}  // namespace fovea::training
