// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/reference_backend.h"

#include <array>
#include <utility>

#include "backend/reference/definition.h"
#include "backend/reference/rounding.h"
#include "core/error.h"

namespace fovea {
namespace {

/// Operands of one node at most; more than any network joins.
constexpr std::size_t kMaxOperands = 64;

void read(const TensorView& from, double* to) {
  for (std::int64_t j = 0; j < from.shape.elements(); ++j) {
    to[j] = static_cast<double>(
        from.dtype == DType::kF32 ? from.f32()[j] : widen_16(from.dtype, reinterpret_cast<const std::uint16_t*>(from.data)[j]));
  }
}

void write(const reference::Tensor<double>& from, const TensorView& to) {
  for (std::int64_t j = 0; j < from.size(); ++j) {
    if (to.dtype == DType::kF32) {
      to.f32()[j] = static_cast<float>(from[j]);
    } else {
      const auto rounded = static_cast<float>(reference::round_to(from[j], reference::format_of(to.dtype)));
      reinterpret_cast<std::uint16_t*>(to.data)[j] = round_to_16(to.dtype, rounded);
    }
  }
}

/// Widens the inputs to double, computes, and rounds the outputs: one rounding in all.
class ReferenceKernel final : public Kernel {
 public:
  ReferenceKernel(const graph::Op& op, std::size_t scratch_bytes, std::optional<std::size_t> reusable)
      : op_(op), scratch_bytes_(scratch_bytes), reusable_(reusable) {}

  void run(const Arguments& arguments) const override {
    std::array<reference::Tensor<const double>, kMaxOperands> in;
    std::array<reference::Tensor<double>, kMaxOperands> out;
    auto* next = reinterpret_cast<double*>(arguments.scratch);
    for (std::size_t i = 0; i < arguments.inputs.size(); ++i)
      in[i] = {widen(arguments.inputs[i], next), arguments.inputs[i].shape};
    for (std::size_t i = 0; i < arguments.outputs.size(); ++i) {
      const TensorView& view = arguments.outputs[i];
      out[i] = {reference::reads_outputs(op_) ? widen(view, next) : take(view, next), view.shape};
    }
    reference::evaluate(op_, reference::Operands<double>{std::span(in).first(arguments.inputs.size()),
                                                         std::span(out).first(arguments.outputs.size()), arguments.state});
    for (std::size_t i = 0; i < arguments.outputs.size(); ++i) write(out[i], arguments.outputs[i]);
  }

  [[nodiscard]] std::size_t scratch_bytes() const override { return scratch_bytes_; }
  [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return reusable_; }
  [[nodiscard]] std::string_view name() const override { return "reference"; }

 private:
  static double* take(const TensorView& view, double*& next) { return std::exchange(next, next + view.shape.elements()); }
  static double* widen(const TensorView& view, double*& next) {
    double* copy = take(view, next);
    read(view, copy);
    return copy;
  }

  graph::Op op_;
  std::size_t scratch_bytes_;
  std::optional<std::size_t> reusable_;
};

/// A silu's derivative cannot be told from its output, which is all that a depthwise backward has.
bool is_defined(const graph::Op& op) {
  if (const auto* block = std::get_if<graph::InvertedResidualBackward>(&op)) {
    return block->forward.activation != graph::Activation::kSilu && block->input_activation != graph::Activation::kSilu;
  }
  if (const auto* block = std::get_if<graph::InvertedResidualTrainBackward>(&op))
    return block->forward.activation != graph::Activation::kSilu;
  const auto* depthwise = std::get_if<graph::DepthwiseConv2dBackward>(&op);
  return depthwise == nullptr ||
         (depthwise->activation != graph::Activation::kSilu && depthwise->input_activation != graph::Activation::kSilu);
}

class ReferenceBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "reference"; }

  [[nodiscard]] bool supports(const graph::Graph& /*graph*/, const graph::Node& node) const override {
    return is_defined(node.op) && node.inputs.size() <= kMaxOperands && node.outputs.size() <= kMaxOperands;
  }

  Result<std::unique_ptr<Kernel>> prepare(const Context& /*context*/, const graph::Graph& graph, const graph::Node& node,
                                          bool /*constant_weights*/) const override {
    if (!supports(graph, node)) {
      return fail(Error::Kind::kUnsupported, "reference backend: {} with these fields and {} inputs is not defined",
                  graph::name_of(node.op), node.inputs.size());
    }
    std::int64_t elements = 0;
    for (const graph::ValueId id : node.inputs) elements += graph.shape(id).elements();
    for (const graph::ValueId id : node.outputs) elements += graph.shape(id).elements();
    // Every input is copied before an output is written, so any of the right size may give its memory.
    std::optional<std::size_t> reusable;
    for (std::size_t i = 0; i < node.inputs.size() && !reusable && !reference::reads_outputs(node.op); ++i) {
      const graph::ValueId in = node.inputs[i], out = node.outputs.front();
      if (graph.shape(in) == graph.shape(out) && graph.dtype(in) == graph.dtype(out)) reusable = i;
    }
    return std::unique_ptr<Kernel>(
        std::make_unique<ReferenceKernel>(node.op, static_cast<std::size_t>(elements) * sizeof(double), reusable));
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace fovea
