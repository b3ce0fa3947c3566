// SPDX-License-Identifier: Apache-2.0
#include "model/inference_graph.h"

#include "core/error.h"
#include "graph/compile.h"
#include "graph/passes.h"

namespace fovea {

Result<graph::Graph> inference_graph(const NetworkSpec& spec, int batch, std::span<const std::string_view> outputs) {
  FOVEA_ASSIGN(const graph::Graph built, build_network(spec, {.batch = batch}));
  return graph::compile_for_use(graph::keep_outputs(built, outputs));
}

}  // namespace fovea
