// Fovea: what every kernel is prepared from, and the families that prepare them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "backend/cuda/kernels/depthwise.h"
#include "backend/cuda/machine.h"
#include "backend/function_kernel.h"
#include "backend/numbers_of.h"

namespace fovea::cuda {

/// One node, and what will compute it.
struct Setup : NodeInGraph {
  std::shared_ptr<Machine> machine;

  [[nodiscard]] static int channels(const Shape& shape) { return static_cast<int>(shape.back()); }
};

/// x (N,H,W,C) under a window that gives y (N,H',W',K).
[[nodiscard]] inline Plane plane_of(const graph::Window& window, const Shape& x, const Shape& y) {
  const auto extent = [](const Shape& shape, std::size_t axis) { return static_cast<int>(shape[axis]); };
  return {extent(x, 0),    extent(x, 1),    extent(x, 2),  extent(y, 1),   extent(y, 2),   extent(x, 3),
          window.kernel_h, window.kernel_w, window.stride, window.pad.top, window.pad.left};
}

/// make(T{}), of what products of that precision read.
template <class Make>
KernelResult with_precision(graph::Precision precision, const Make& make) {
  switch (precision) {
    case graph::Precision::kF32: break;
    case graph::Precision::kTF32: return make(Tf32{});
    case graph::Precision::kBF16: return make(Bf16{});
    case graph::Precision::kFP16: return make(Fp16{});
  }
  return make(float{});
}
/// Of the names of kernels whose products read T.
template <class T>
[[nodiscard]] std::string suffix_of() {
  constexpr const char* kSuffixes[] = {"", "_tf32", "_bf16", "_fp16"};
  return kSuffixes[static_cast<std::size_t>(kNumberOf<T>)];
}

/// What a tensor's numbers are to kernels.
[[nodiscard]] inline Number number_of(DType dtype) {
  if (dtype == DType::kF16) return Number::kFP16;
  return dtype == DType::kBF16 ? Number::kBF16 : Number::kF32;
}

/// body(numbers) with a view's memory as what its numbers are kept as.
template <class Body>
auto with_numbers(const TensorView& view, const Body& body) {
  if (view.dtype == DType::kBF16) return body(numbers_of<Bf16>(view));
  if (view.dtype == DType::kF16) return body(numbers_of<Fp16>(view));
  return body(view.f32());
}

/// A view's numbers, which are kept as those of `other` are.
template <class T>
const T* like(const T* /*other*/, const TensorView& view) {
  return numbers_of<const T>(view);
}

/// A kernel from functions of (Machine&, const Arguments&).
template <class Run, class Pack = NoPack>
KernelResult make_kernel(const Setup& setup, KernelTraits traits, Run run, Pack pack = {}) {
  const auto on_machine = [&](auto function) {
    return [machine = setup.machine, function = std::move(function)](const Arguments& a) { function(*machine, a); };
  };
  traits.name = setup.machine->name() + "/" + traits.name;
  return fovea::make_kernel(std::move(traits), on_machine(std::move(run)), on_machine(std::move(pack)));
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

// ops/depthwise.cpp, ops/block.cpp, ops/block_backward.cpp
KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2d& op);
KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2dBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidual& op);
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualBackward& op);

// ops/live_block.cpp, ops/live_block_backward.cpp
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrain& op);
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrainBackward& op);

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
