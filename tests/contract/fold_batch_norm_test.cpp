// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

/// A 1x1-output convolution with the folded weight and bias, so that one value depends on both.
graph::ValueId convolved(graph::Graph& graph, std::span<const graph::ValueId> outputs) {
  const Shape w = graph.shape(outputs[0]);
  const auto x = graph.input("x", {1, w[2], w[3], w[1]});
  return graph.add(graph::Conv2d{{static_cast<int>(w[2]), static_cast<int>(w[3])}}, {x, outputs[0], outputs[1]});
}

void add_all(std::vector<Case>& cases, const Shape& w) {
  const Shape k{w[0]};
  cases.push_back({fmt::format("FoldBatchNorm_{}", to_string(w)),
                   graph::FoldBatchNorm{1e-3F},
                   {weight(w), weight(k), weight(k), state(k), state(k, Fill::kPositive)},
                   convolved});
  cases.push_back({fmt::format("FoldBatchNormBackward_{}", to_string(w)),
                   graph::FoldBatchNormBackward{1e-3F},
                   {weight(w), weight(k), state(k), state(k, Fill::kPositive), {w}, {k}}});
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 11; ++i) {
    const std::int64_t size = 1 + 2 * static_cast<std::int64_t>(i % 3);
    // Every third is a depthwise weight.
    add_all(cases, {cycle(kChannels, i), i % 3 == 2 ? 1 : cycle(kChannels, 5 * i + 3), size, size});
  }
  return cases;
}

std::vector<Case> speed() {
  std::vector<Case> cases;
  add_all(cases, {1280, 320, 1, 1});
  return cases;
}

const Suite kSuite("fold_batch_norm", tests, speed);

}  // namespace
}  // namespace fovea::contract
