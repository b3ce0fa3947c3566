// Fovea: a case made ready: its graph of one node, its data, and what a correct answer is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/reference/rounded.h"
#include "contract/case.h"

namespace fovea::contract {

/// Values of one tensor.
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

struct Subject {
  explicit Subject(const Case& source);

  [[nodiscard]] const graph::Node& node() const { return graph.nodes().front(); }

  graph::Graph graph;
  std::vector<graph::ValueId> outputs;
  std::vector<Floats> inputs;
  std::vector<Floats> states;
  RunState state{.seed = 0x5EED'0000'0001, .step = 3, .first_row = 5};
};

/// Numbers as memory holds them, and back. What is kept in 16 bits must be such numbers already.
[[nodiscard]] std::vector<std::byte> stored(std::span<const float> values, DType dtype);
[[nodiscard]] Floats loaded(std::span<const std::byte> memory, DType dtype);

/// The name of input `index` in a subject's graph.
[[nodiscard]] std::string input_name(std::size_t index);

/// `elements` numbers of a kind, drawn from `name` alone; `row` is the length of a row of probabilities.
[[nodiscard]] Floats filled(std::string_view name, std::int64_t elements, Fill fill, std::int64_t row = 1);

/// Outputs by definition, each element with the error that a float computation of it may make.
[[nodiscard]] std::vector<std::vector<reference::Rounded>> expected(const Subject& subject);

/// Computes every node of `graph` by definition. `values` has an entry for each value; those of inputs, parameters and states are
/// given.
template <class Real>
void evaluate(const graph::Graph& graph, const RunState& state, std::vector<std::vector<Real>>& values);

}  // namespace fovea::contract
