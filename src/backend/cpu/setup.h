// Fovea: what every CPU kernel is prepared from, and the families that prepare them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "backend/cpu/kernels/products.h"
#include "backend/cpu/kernels/target.h"
#include "backend/function_kernel.h"

namespace fovea::cpu {

/// One node, with what was decided for the whole backend.
struct Setup : NodeInGraph {
  const Context& context;
  Target target;
  Products products = Products::kOneDnn;
  bool constant_weights = false;  ///< for use: what takes time once may take it

  /// Whether a tensor is too large to be found in the caches again when the next op reads it.
  [[nodiscard]] static bool is_large(const Shape& shape) {
    constexpr std::int64_t kFloats = std::int64_t{4} << 20;  // 16 MiB: half the last-level cache of a desktop
    return shape.elements() >= kFloats;
  }
  /// "avx2/depthwise"
  [[nodiscard]] std::string kernel_name(std::string_view what) const {
    return std::string(target.name()) + "/" + std::string(what);
  }
  /// "amx/inverted_residual"
  [[nodiscard]] std::string bf16_kernel_name(std::string_view what) const {
    return std::string(name_of(target.bf16())) + "/" + std::string(what);
  }
};

// onednn/: by oneDNN, or what Setup::products and constant_weights say instead (dense.h, weight_gradient.h)
KernelResult prepare_op(const Setup& setup, const graph::Conv2d& op);
KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardInput& op);
KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardWeight& op);
KernelResult prepare_op(const Setup& setup, const graph::Linear& op);
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardInput& op);
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardWeight& op);

// depthwise.cpp
KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2d& op);
KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2dBackward& op);

// inverted_residual.cpp
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidual& op);
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualBackward& op);

// inverted_residual_train.cpp
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrain& op);
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrainBackward& op);

// batch_norm.cpp, fold_batch_norm.cpp
KernelResult prepare_op(const Setup& setup, const graph::BatchNorm& op);
KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrain& op);
KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrainBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::UpdateRunningStatistics& op);
KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNorm& op);
KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNormBackward& op);

// elementwise.cpp
KernelResult prepare_op(const Setup& setup, const graph::Activate& op);
KernelResult prepare_op(const Setup& setup, const graph::ActivateBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::Add& op);
KernelResult prepare_op(const Setup& setup, const graph::Dropout& op);

// channels.cpp
KernelResult prepare_op(const Setup& setup, const graph::Concat& op);
KernelResult prepare_op(const Setup& setup, const graph::SliceChannels& op);
KernelResult prepare_op(const Setup& setup, const graph::PadChannels& op);
KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePool& op);
KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePoolBackward& op);

// softmax.cpp, sigmoid.cpp, attention.cpp
KernelResult prepare_op(const Setup& setup, const graph::Softmax& op);
KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropy& op);
KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropyBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropy& op);
KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropyBackward& op);
KernelResult prepare_op(const Setup& setup, const graph::Attention& op);
KernelResult prepare_op(const Setup& setup, const graph::AttentionBackward& op);

}  // namespace fovea::cpu
