// Fovea: a kernel from functions, for all that need no class of their own; and the node that a kernel is prepared from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "backend/backend.h"

namespace fovea {

using KernelResult = Result<std::unique_ptr<Kernel>>;

/// One node in its graph.
struct NodeInGraph {
  const graph::Graph& graph;
  const graph::Node& node;

  [[nodiscard]] const Shape& input(std::size_t i) const { return graph.shape(node.inputs[i]); }
  [[nodiscard]] const Shape& output(std::size_t i) const { return graph.shape(node.outputs[i]); }
  [[nodiscard]] DType input_type(std::size_t i) const { return graph.dtype(node.inputs[i]); }
  [[nodiscard]] DType output_type(std::size_t i) const { return graph.dtype(node.outputs[i]); }
  [[nodiscard]] std::size_t inputs() const { return node.inputs.size(); }
  /// How many rows of channels, the innermost extent, there are.
  [[nodiscard]] static std::int64_t rows(const Shape& shape) {
    return shape.elements() / std::max<std::int64_t>(shape.back(), 1);
  }
};

/// What a kernel says of itself.
struct KernelTraits {
  std::string name;
  std::size_t packed_bytes = 0;
  std::size_t scratch_bytes = 0;
  std::optional<std::size_t> reusable_input;
  bool runs_on_packed = false;
};

struct NoPack {
  void operator()(const auto&...) const {}
};

/// Its functions take Arguments.
template <class Run, class Pack>
class FunctionKernel final : public Kernel {
 public:
  FunctionKernel(KernelTraits traits, Run run, Pack pack)
      : traits_(std::move(traits)), run_(std::move(run)), pack_(std::move(pack)) {}

  void run(const Arguments& arguments) const override { run_(arguments); }
  void pack(const Arguments& arguments) const override { pack_(arguments); }
  [[nodiscard]] std::size_t packed_bytes() const override { return traits_.packed_bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override { return traits_.scratch_bytes; }
  [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return traits_.reusable_input; }
  [[nodiscard]] bool runs_on_packed() const override { return traits_.runs_on_packed; }
  [[nodiscard]] std::string_view name() const override { return traits_.name; }

 private:
  KernelTraits traits_;
  Run run_;
  Pack pack_;
};

template <class Run, class Pack = NoPack>
std::unique_ptr<Kernel> make_kernel(KernelTraits traits, Run run, Pack pack = {}) {
  return std::make_unique<FunctionKernel<Run, Pack>>(std::move(traits), std::move(run), std::move(pack));
}

}  // namespace fovea
