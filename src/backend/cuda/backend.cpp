// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/backend.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "backend/cuda/jpeg/nvjpeg_decoder.h"
#include "backend/cuda/jpeg/nvjpeg_library.h"
#include "backend/cuda/setup.h"
#include "backend/cuda/training.h"
#include "core/error.h"
#include "graph/passes.h"

namespace fovea::cuda {
namespace {

bool is_defined(const graph::Window& window, Activation activation) {
  return window.kernel_h * window.kernel_w <= kMostTaps && activation != Activation::kSilu;
}

/// A silu's derivative cannot be told from its output, which is all that a depthwise backward has.
bool is_defined(const graph::Op& op, const Machine& machine) {
  const auto has = [&](const auto& block) { return is_defined(block.window, block.activation) && machine.has(block.precision); };
  if (const auto* block = std::get_if<graph::InvertedResidual>(&op)) return !block->keeps_expanded && has(*block);
  if (const auto* block = std::get_if<graph::InvertedResidualBackward>(&op))
    return !block->forward.keeps_expanded && has(block->forward) && block->input_activation != Activation::kSilu;
  if (const auto* block = std::get_if<graph::InvertedResidualTrain>(&op)) return has(*block);
  if (const auto* block = std::get_if<graph::InvertedResidualTrainBackward>(&op)) return has(block->forward);
  if (const auto* convolution = std::get_if<graph::Conv2d>(&op); convolution != nullptr && convolution->keeps_slope) return false;
  if (const auto* gradient = std::get_if<graph::Conv2dBackwardInput>(&op);
      gradient != nullptr && (gradient->adds || gradient->by_slope))
    return false;
  if (const auto* activate = std::get_if<graph::Activate>(&op)) return !activate->keeps_slope;
  if (const auto* backward = std::get_if<graph::ActivateBackward>(&op)) return !backward->by_slope;
  if (!machine.has(convolution_precision(op))) return false;
  const auto* depthwise = std::get_if<graph::DepthwiseConv2dBackward>(&op);
  return depthwise == nullptr ||
         (is_defined(depthwise->window, depthwise->activation) && depthwise->input_activation != Activation::kSilu);
}

/// Whether the node's kernel reads and writes its values as they are kept: blocks have floats at their ends.
bool is_kept_well(const graph::Graph& graph, const graph::Node& node, const Machine& machine) {
  if (!graph::is_kept_well(graph, node)) return false;
  if (graph::is_all_floats(graph, node)) return true;
  for (const graph::Precision precision : {graph::Precision::kBF16, graph::Precision::kFP16}) {
    if (graph::keeps_any_as(graph, node, graph::kept_type(precision)) && !machine.has(precision)) return false;
  }
  return !std::holds_alternative<graph::InvertedResidual>(node.op) &&
         !std::holds_alternative<graph::InvertedResidualBackward>(node.op);
}

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(std::shared_ptr<Machine> machine) : machine_(std::move(machine)), name_(machine_->name()) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::shared_ptr<Memory> memory() const override { return machine_->memory(); }
  [[nodiscard]] std::shared_ptr<Recorder> recorder() const override { return machine_->recorder(); }

  [[nodiscard]] std::shared_ptr<TrainingOps> training() const override { return make_training_ops(machine_); }
  [[nodiscard]] Result<std::shared_ptr<JpegDecoder>> jpeg_decoder() const override {
    (void)machine_->memory()->turn();  // makes the device this thread's
    FOVEA_ASSIGN(auto library, NvJpegLibrary::open(machine_->nvjpeg_files()));
    return make_nvjpeg_decoder(machine_, std::move(library));
  }

  [[nodiscard]] bool supports(const graph::Graph& graph, const graph::Node& node) const override {
    // Kernels count elements in 31 bits.
    const auto small = [&](graph::ValueId id) { return graph.shape(id).elements() <= std::numeric_limits<int>::max(); };
    return is_defined(node.op, *machine_) && is_kept_well(graph, node, *machine_) && std::ranges::all_of(node.inputs, small) &&
           std::ranges::all_of(node.outputs, small);
  }

  Result<std::unique_ptr<Kernel>> prepare(const Context& /*context*/, const graph::Graph& graph, const graph::Node& node,
                                          bool /*constant_weights*/) const override {
    if (!supports(graph, node)) {
      return fail(Error::Kind::kUnsupported, "{} backend: {} with these fields or this size has no kernel", name_,
                  graph::name_of(node.op));
    }
    (void)machine_->memory()->turn();  // makes the device this thread's, which libraries ask what it can do
    const Setup setup{{graph, node}, machine_};
    return std::visit([&](const auto& op) { return prepare_op(setup, op); }, node.op);
  }

 private:
  std::shared_ptr<Machine> machine_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(std::shared_ptr<Machine> machine) {
  return std::make_unique<CudaBackend>(std::move(machine));
}

}  // namespace fovea::cuda
