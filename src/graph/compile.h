// Fovea: the passes between a network as it is built and what a plan is made of, in their order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "graph/graph.h"
#include "graph/passes.h"

namespace fovea::graph {

/// For use: statistics folded, activations and blocks fused.
[[nodiscard]] Graph compile_for_use(const Graph& graph);

/// What training rounds the operands of products to: in blocks, and in other dense convolutions, where statistics are stored; and
/// in either where they are the batch's own.
struct Precisions {
  Precision blocks = Precision::kF32;
  Precision convolutions = Precision::kF32;
  Precision live_blocks = Precision::kF32;
  Precision live_convolutions = Precision::kF32;
  bool keep_expanded = false;       ///< blocks in bf16 keep what is costlier to compute again: where the backend has that
  Slopes slopes = Slopes::kNobody;  ///< as far as the backend has that
  bool round_ends = false;          ///< what lies between blocks in bf16, but for what is added, is kept in bf16: the same

  bool operator==(const Precisions&) const = default;
};

/// How blocks with the batch's own statistics are computed: as one op each, where the backend has it, or op by op.
enum class LiveBlocks : std::uint8_t { kOpByOp, kFused };

/// For training: the same as far as it can be differentiated, and the gradients of the parameters for which `trainable` holds.
/// Errors as of differentiate().
Result<Graph> compile_for_training(const Graph& graph, const Precisions& precisions, LiveBlocks live_blocks,
                                   const std::function<bool(std::string_view)>& trainable);

}  // namespace fovea::graph
