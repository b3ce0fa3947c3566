// SPDX-License-Identifier: Apache-2.0
#include "graph/graph.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace fovea::graph {

ValueId Graph::leaf(Role role, std::string name, const Shape& shape) {
  if (!status_) return kNoValue;
  if (find(name)) {
    status_ = fail(Error::Kind::kUsage, "graph: '{}' is defined twice", name);
    return kNoValue;
  }
  const auto id = static_cast<ValueId>(values_.size());
  leaves_.emplace(name, id);
  values_.push_back({shape, role, std::move(name), DType::kF32});
  return id;
}

std::vector<ValueId> Graph::add_all(Op op, std::vector<ValueId> inputs) {
  // After a mistake callers still take their outputs apart: eight is the most that any op has.
  std::vector<ValueId> nothing(8, kNoValue);
  if (!status_ || std::ranges::count(inputs, kNoValue) > 0) {
    if (status_.ok()) status_ = fail(Error::Kind::kUsage, "graph: {} reads a value that was never made", name_of(op));
    return nothing;
  }
  std::vector<Shape> shapes;
  shapes.reserve(inputs.size());
  for (const ValueId id : inputs) shapes.push_back(shape(id));
  auto inferred = infer_shapes(op, shapes);
  if (!inferred) {
    status_ = inferred.error();
    return nothing;
  }
  std::vector<ValueId> outputs;
  for (const Shape& made : *inferred) {
    values_.push_back({made, Role::kIntermediate, {}, DType::kF32});
    outputs.push_back(static_cast<ValueId>(values_.size()) - 1);
  }
  nodes_.push_back({std::move(op), std::move(inputs), outputs});
  return outputs;
}

void Graph::add_update(const UpdateRunningStatistics& op, std::vector<ValueId> inputs, std::vector<ValueId> states) {
  if (!status_) return;
  const bool fits = inputs.size() == 2 && states.size() == 2 && std::ranges::all_of(states, [&](ValueId id) {
                      return id != kNoValue && value(id).role == Role::kState && shape(id) == shape(inputs[0]);
                    });
  if (!fits) {
    status_ = fail(Error::Kind::kUsage, "graph: UpdateRunningStatistics needs two vectors and the two states that they update");
    return;
  }
  nodes_.push_back({op, std::move(inputs), std::move(states)});
}

void Graph::keep_as(ValueId value, DType dtype) {
  if (status_) values_[static_cast<std::size_t>(value)].dtype = dtype;
}

void Graph::mark_output(std::string name, ValueId value) {
  if (!status_) return;
  outputs_.push_back({std::move(name), value});
}

std::optional<ValueId> Graph::output(std::string_view name) const {
  const auto found = std::ranges::find(outputs_, name, &Output::name);
  return found == outputs_.end() ? std::nullopt : std::optional(found->value);
}

std::optional<ValueId> Graph::find(std::string_view name) const {
  const auto found = leaves_.find(std::string(name));
  return found == leaves_.end() ? std::nullopt : std::optional(found->second);
}

bool is_all_floats(const Graph& graph, const Node& node) {
  const auto floats = [&](ValueId id) { return graph.dtype(id) == DType::kF32; };
  return std::ranges::all_of(node.inputs, floats) && std::ranges::all_of(node.outputs, floats);
}

bool keeps_any_as(const Graph& graph, const Node& node, DType dtype) {
  const auto kept = [&](ValueId id) { return graph.dtype(id) == dtype; };
  return std::ranges::any_of(node.inputs, kept) || std::ranges::any_of(node.outputs, kept);
}

double flops(const Graph& graph, const Node& node) {
  const auto product = [&](std::size_t weight, ValueId rows) {
    const Shape& dy = graph.shape(rows);
    // Every output element of a window is one dot product over a weight row.
    return 2.0 * static_cast<double>(dy.elements()) * static_cast<double>(graph.shape(node.inputs[weight]).elements()) /
           static_cast<double>(graph.shape(node.inputs[weight])[0]);
  };
  const auto weight_gradient = [&](ValueId dy, ValueId dw) {
    return 2.0 * static_cast<double>(graph.shape(dy).elements()) * static_cast<double>(graph.shape(dw).elements()) /
           static_cast<double>(graph.shape(dw)[0]);
  };
  // Without what the backward pass computes again: useful work.
  const auto block = [&](bool expands, std::size_t depthwise_weight, ValueId y, bool backward) {
    const Shape& x = graph.shape(node.inputs[0]);
    const Shape& wd = graph.shape(node.inputs[depthwise_weight]);
    const double inner = static_cast<double>(wd[0]);
    const double after = static_cast<double>(graph.shape(y).elements()) * inner;
    const double before = expands ? static_cast<double>(x.elements()) * inner : 0;
    const double depthwise = after / static_cast<double>(graph.shape(y).back()) * static_cast<double>(wd[2] * wd[3]);
    return (backward ? 4.0 : 2.0) * (before + depthwise + after);
  };
  return std::visit(
      Overloaded{
          [&](const InvertedResidual& o) { return block(o.expands, depthwise_weight(o), node.outputs[0], false); },
          [&](const InvertedResidualBackward& o) {
            return block(o.forward.expands, depthwise_weight(o.forward), node.inputs.back(), true);
          },
          [&](const InvertedResidualTrain& o) { return block(o.expands, depthwise_weight(o), node.outputs[0], false); },
          [&](const InvertedResidualTrainBackward& o) {
            return block(o.forward.expands, depthwise_weight(o.forward), node.inputs.back(), true);
          },
          [&](const Conv2d&) { return product(1, node.outputs[0]); },
          [&](const DepthwiseConv2d&) { return product(1, node.outputs[0]); },
          [&](const Linear&) { return product(1, node.outputs[0]); },
          [&](const Conv2dBackwardInput&) { return product(1, node.inputs[0]); },
          [&](const Conv2dBackwardWeight&) { return weight_gradient(node.inputs[1], node.outputs[0]); },
          [&](const DepthwiseConv2dBackward&) { return 2 * product(1, node.inputs[2]); },
          [&](const LinearBackwardInput&) { return product(1, node.inputs[0]); },
          [&](const LinearBackwardWeight&) { return weight_gradient(node.inputs[1], node.outputs[0]); },
          [](const auto&) { return 0.0; },
      },
      node.op);
}

}  // namespace fovea::graph
