// SPDX-License-Identifier: Apache-2.0
#include "graph/compile.h"

#include "core/error.h"
#include "graph/autodiff.h"
#include "graph/passes.h"

namespace fovea::graph {

Graph compile_for_use(const Graph& graph) {
  return eliminate_dead(fuse_inverted_residuals(fuse_activations(fold_batchnorm(graph), false), Precision::kF32));
}

Result<Graph> compile_for_training(const Graph& graph, const Precisions& precisions, LiveBlocks live_blocks,
                                   const std::function<bool(std::string_view)>& trainable) {
  Graph fused = fuse_inverted_residuals(fuse_activations(fold_batchnorm(graph), true), precisions.blocks);
  if (precisions.keep_expanded) fused = keep_expanded(fused);
  if (live_blocks == LiveBlocks::kFused) fused = fuse_live_inverted_residuals(fused, precisions.live_blocks);
  const Graph forward = round_convolutions(fused, precisions.convolutions, precisions.live_convolutions);
  FOVEA_ASSIGN(const Graph both, differentiate(forget_maps(forward), trainable));
  const Graph sloped = keep_slopes(join_slices(join_pads(fuse_backward(both))), precisions.slopes);
  return keep_rounded(eliminate_dead(fuse_gradients(sloped, precisions.slopes)), precisions.round_ends);
}

}  // namespace fovea::graph
