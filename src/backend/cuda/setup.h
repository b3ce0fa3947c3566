// Fovea: what every kernel is prepared from, and the families that prepare them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "backend/backend.h"
#include "backend/cuda/kernels/depthwise.h"
#include "backend/cuda/machine.h"

namespace fovea::cuda {

using KernelResult = Result<std::unique_ptr<Kernel>>;

/// One node in its graph, and what will compute it.
struct Setup {
  const graph::Graph& graph;
  const graph::Node& node;
  std::shared_ptr<Machine> machine;

  [[nodiscard]] const Shape& input(std::size_t i) const { return graph.shape(node.inputs[i]); }
  [[nodiscard]] const Shape& output(std::size_t i) const { return graph.shape(node.outputs[i]); }
  [[nodiscard]] std::size_t inputs() const { return node.inputs.size(); }
  /// Channels, the innermost extent; and how many rows of them there are.
  [[nodiscard]] static int channels(const Shape& shape) { return static_cast<int>(shape.back()); }
  [[nodiscard]] static std::int64_t rows(const Shape& shape) {
    return shape.elements() / std::max<std::int64_t>(shape.back(), 1);
  }
};

/// x (N,H,W,C) under a window that gives y (N,H',W',K).
[[nodiscard]] inline Plane plane_of(const graph::Window& window, const Shape& x, const Shape& y) {
  const auto extent = [](const Shape& shape, std::size_t axis) { return static_cast<int>(shape[axis]); };
  return {extent(x, 0),    extent(x, 1),    extent(x, 2),  extent(y, 1),   extent(y, 2),   extent(x, 3),
          window.kernel_h, window.kernel_w, window.stride, window.pad.top, window.pad.left};
}

/// What a kernel says of itself.
struct Traits {
  std::string name;
  std::size_t packed_bytes = 0;
  std::size_t scratch_bytes = 0;
  std::optional<std::size_t> reusable_input;
};

struct NoPack {
  void operator()(Machine&, const Arguments&) const {}
};

/// A kernel from functions of (Machine&, const Arguments&).
template <class Run, class Pack>
class FunctionKernel final : public Kernel {
 public:
  FunctionKernel(std::shared_ptr<Machine> machine, Traits traits, Run run, Pack pack)
      : machine_(std::move(machine)), traits_(std::move(traits)), run_(std::move(run)), pack_(std::move(pack)) {}

  void run(const Arguments& arguments) const override { run_(*machine_, arguments); }
  void pack(const Arguments& arguments) const override { pack_(*machine_, arguments); }
  [[nodiscard]] std::size_t packed_bytes() const override { return traits_.packed_bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override { return traits_.scratch_bytes; }
  [[nodiscard]] std::optional<std::size_t> reusable_input() const override { return traits_.reusable_input; }
  [[nodiscard]] std::string_view name() const override { return traits_.name; }

 private:
  std::shared_ptr<Machine> machine_;
  Traits traits_;
  Run run_;
  Pack pack_;
};

template <class Run, class Pack = NoPack>
KernelResult make_kernel(const Setup& setup, Traits traits, Run run, Pack pack = {}) {
  traits.name = setup.machine->name() + "/" + traits.name;
  return std::unique_ptr<Kernel>(
      std::make_unique<FunctionKernel<Run, Pack>>(setup.machine, std::move(traits), std::move(run), std::move(pack)));
}

/// Takes aligned pieces of a kernel's scratch or packed memory; first to measure it (from null), then to use it.
class Pieces {
 public:
  explicit Pieces(std::byte* memory = nullptr) : begin_(memory) {}
  template <class T>
  T* take(std::int64_t count) {
    const std::size_t at = bytes_;
    bytes_ += align_up(static_cast<std::size_t>(count) * sizeof(T));
    return begin_ == nullptr ? nullptr : reinterpret_cast<T*>(begin_ + at);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* begin_;
  std::size_t bytes_ = 0;
};

// ops/convolution.cpp, ops/linear.cpp
KernelResult prepare_op(const Setup& setup, const graph::Conv2d& op);
KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardInput& op);
KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardWeight& op);
KernelResult prepare_op(const Setup& setup, const graph::Linear& op);
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardInput& op);
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardWeight& op);

// ops/depthwise.cpp, ops/block.cpp
KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2d& op);
KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2dBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidual& op);
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualBackward& op);

// ops/norm.cpp
KernelResult prepare_op(const Setup& setup, const graph::BatchNorm& op);
KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrain& op);
KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrainBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::UpdateRunningStatistics& op);
KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNorm& op);
KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNormBackward& op);

// ops/elementwise.cpp
KernelResult prepare_op(const Setup& setup, const graph::Activate& op);
KernelResult prepare_op(const Setup& setup, const graph::ActivateBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::Add& op);
KernelResult prepare_op(const Setup& setup, const graph::Dropout& op);

// ops/channels.cpp
KernelResult prepare_op(const Setup& setup, const graph::Concat& op);
KernelResult prepare_op(const Setup& setup, const graph::SliceChannels& op);
KernelResult prepare_op(const Setup& setup, const graph::PadChannels& op);
KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePool& op);
KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePoolBackward& op);

// ops/answers.cpp
KernelResult prepare_op(const Setup& setup, const graph::Softmax& op);
KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropy& op);
KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropyBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropy& op);
KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropyBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::Attention& op);
KernelResult prepare_op(const Setup& setup, const graph::AttentionBackward& op);

}  // namespace fovea::cuda
