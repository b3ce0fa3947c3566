// SPDX-License-Identifier: Apache-2.0
#include "model/inference_graph.h"

#include "core/error.h"
#include "graph/passes.h"

namespace fovea {

Result<graph::Graph> inference_graph(const NetworkSpec& spec, int batch, std::span<const std::string_view> outputs) {
  FOVEA_ASSIGN(const graph::Graph built, build_network(spec, {.batch = batch}));
  const graph::Graph folded = graph::fold_batchnorm(graph::keep_outputs(built, outputs));
  return graph::fuse_inverted_residuals(graph::fuse_activations(folded, false), graph::Precision::kF32);
}

}  // namespace fovea
