// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

/// o and v side by side, as both reach further in a network; p does not.
graph::ValueId values_joined(graph::Graph& graph, std::span<const graph::ValueId> outputs) {
  return graph.add(graph::Concat{}, {outputs[0], outputs[1]});
}

void add_all(std::vector<Case>& cases, std::int64_t n, std::int64_t h, std::int64_t w, int heads, int key_dim, int head_dim) {
  const std::string name = fmt::format("n{}_{}x{}_heads{}_{}_{}", n, h, w, heads, key_dim, head_dim);
  const Shape qkv{n, h, w, heads * (2 * key_dim + head_dim)};
  const Shape values{n, h, w, heads * head_dim};
  const Shape probabilities{n, heads, h * w, h * w};
  cases.push_back({"Attention_" + name, graph::Attention{heads, key_dim, head_dim}, {{qkv}}, values_joined});
  cases.push_back({"AttentionBackward_" + name,
                   graph::AttentionBackward{heads, key_dim, head_dim},
                   {{qkv}, {probabilities, Fill::kProbabilities}, {values}, {values}}});
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  add_all(cases, 1, 1, 1, 1, 1, 1);
  add_all(cases, 2, 2, 3, 1, 4, 8);
  add_all(cases, 1, 3, 3, 2, 3, 5);
  add_all(cases, 5, 1, 2, 3, 7, 2);
  add_all(cases, 1, 4, 5, 2, 32, 64);
  add_all(cases, 2, 3, 5, 1, 17, 31);
  return cases;
}

/// The attention of YOLO11n-cls and YOLO11l-cls at 224.
std::vector<Case> speed() {
  std::vector<Case> cases;
  add_all(cases, 8, 7, 7, 2, 32, 64);
  add_all(cases, 8, 7, 7, 4, 32, 64);
  return cases;
}

const Suite kSuite("attention", tests, speed);

}  // namespace
}  // namespace fovea::contract
