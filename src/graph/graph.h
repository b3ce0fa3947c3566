// Fovea: a network as a list of typed ops over named values. Knows no device, layout or memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"
#include "fovea/result.h"
#include "graph/ops.h"

namespace fovea::graph {

using ValueId = std::int32_t;
using NodeId = std::int32_t;
inline constexpr ValueId kNoValue = -1;

enum class Role : std::uint8_t {
  kInput,         ///< given to each run
  kParameter,     ///< learned; named as in the weight file
  kState,         ///< not learned, but kept: running statistics; named as in the weight file
  kIntermediate,  ///< made by a node
};

/// A tensor. What is computed are 32-bit floats; a value that is kept in 16 bits is rounded to the nearest when it is written.
struct Value {
  Shape shape;
  Role role = Role::kIntermediate;
  std::string name;           ///< of inputs, parameters and states; unique
  DType dtype = DType::kF32;  ///< kF32, kBF16 or kF16
};

struct Node {
  Op op;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
};

/// Built front to back, so the nodes are always in an order that can run. The first mistake (a shape that does not fit)
/// is kept and given by `status()`; what is added after it does nothing.
class Graph {
 public:
  ValueId input(std::string name, const Shape& shape) { return leaf(Role::kInput, std::move(name), shape); }
  ValueId parameter(std::string name, const Shape& shape) { return leaf(Role::kParameter, std::move(name), shape); }
  ValueId state(std::string name, const Shape& shape) { return leaf(Role::kState, std::move(name), shape); }

  /// Appends a node and gives its outputs; shapes are inferred.
  std::vector<ValueId> add_all(Op op, std::vector<ValueId> inputs);
  /// The same for its first output.
  ValueId add(Op op, std::vector<ValueId> inputs) { return add_all(std::move(op), std::move(inputs)).front(); }
  /// Appends a node whose outputs are existing states.
  void add_update(const UpdateRunningStatistics& op, std::vector<ValueId> inputs, std::vector<ValueId> states);

  /// Says how a value is kept in memory: as kF32 until then.
  void keep_as(ValueId value, DType dtype);
  /// Names a value that must survive rewriting and be readable after a run.
  void mark_output(std::string name, ValueId value);
  [[nodiscard]] std::optional<ValueId> output(std::string_view name) const;

  struct Output {
    std::string name;
    ValueId value;
  };
  [[nodiscard]] std::span<const Output> outputs() const { return outputs_; }
  [[nodiscard]] std::span<const Value> values() const { return values_; }
  [[nodiscard]] std::span<const Node> nodes() const { return nodes_; }
  [[nodiscard]] const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const Shape& shape(ValueId id) const { return value(id).shape; }
  [[nodiscard]] DType dtype(ValueId id) const { return value(id).dtype; }
  [[nodiscard]] std::size_t bytes(ValueId id) const {
    return static_cast<std::size_t>(shape(id).elements()) * size_of(dtype(id));
  }
  /// The input, parameter or state of that name.
  [[nodiscard]] std::optional<ValueId> find(std::string_view name) const;

  [[nodiscard]] const Result<void>& status() const { return status_; }

 private:
  ValueId leaf(Role role, std::string name, const Shape& shape);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
  std::unordered_map<std::string, ValueId> leaves_;
  Result<void> status_;
};

/// Shapes of the outputs of `op` on inputs of these shapes, or what does not fit.
Result<std::vector<Shape>> infer_shapes(const Op& op, std::span<const Shape> inputs);

/// Whether all that a node reads and writes is kept as kF32; and whether any of it is kept as `dtype`.
[[nodiscard]] bool is_all_floats(const Graph& graph, const Node& node);
[[nodiscard]] bool keeps_any_as(const Graph& graph, const Node& node, DType dtype);

/// Rows (or columns) that a window gives.
[[nodiscard]] constexpr std::int64_t window_extent(std::int64_t input, int kernel, int stride, int before, int after) {
  return (input + before + after - kernel) / stride + 1;
}

/// Multiply-adds of a node, times two; 0 for what is not a product. What speed is measured against.
[[nodiscard]] double flops(const Graph& graph, const Node& node);

/// One line a node: outputs, op with its fields, inputs, shapes. For people and for tests of the passes.
[[nodiscard]] std::string to_text(const Graph& graph);

}  // namespace fovea::graph
