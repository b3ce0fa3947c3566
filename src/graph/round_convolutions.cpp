// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {

Precision convolution_precision(const Op& op) {
  return std::visit(
      Overloaded{[](const Conv2d& o) { return o.precision; }, [](const Conv2dBackwardInput& o) { return o.precision; },
                 [](const Conv2dBackwardWeight& o) { return o.precision; }, [](const auto&) { return Precision::kF32; }},
      op);
}

Precision rounding_of(const Op& op) {
  return std::visit(Overloaded{[](const InvertedResidual& o) { return o.precision; },
                               [](const InvertedResidualBackward& o) { return o.forward.precision; },
                               [](const InvertedResidualTrain& o) { return o.precision; },
                               [](const InvertedResidualTrainBackward& o) { return o.forward.precision; },
                               [&](const auto&) { return convolution_precision(op); }},
                    op);
}

Graph round_convolutions(const Graph& graph, Precision precision, Precision live) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    const auto* op = std::get_if<Conv2d>(&node.op);
    if (op == nullptr) {
      rewriter.copy(node);
    } else {
      rewriter.copy(node, Conv2d{op->window, op->activation, node.inputs.size() == 3 ? precision : live});
    }
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
