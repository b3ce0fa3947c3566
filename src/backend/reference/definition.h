// Fovea: the definition of every op. What a network means is what these functions compute.
// SPDX-License-Identifier: Apache-2.0
//
// Each is a template over the numbers it computes with, instantiated in its own file for
//   double   the exact answer: the reference backend rounds it to float once, at the end;
//   Rounded  the same, with a bound on the error of a float computation: the tolerance of every test.
// Outputs come undefined, except for UpdateRunningStatistics, whose outputs are also read.
#pragma once

#include "backend/reference/rounded.h"
#include "backend/reference/tensor.h"
#include "graph/ops.h"

// To add an op: a line here, and a file that defines it and ends with FOVEA_INSTANTIATE of it.
#define FOVEA_DEFINED_OPS(op)        \
  op(Conv2d);                        \
  op(DepthwiseConv2d);               \
  op(InvertedResidual);              \
  op(InvertedResidualTrain);         \
  op(Linear);                        \
  op(BatchNorm);                     \
  op(BatchNormTrain);                \
  op(UpdateRunningStatistics);       \
  op(FoldBatchNorm);                 \
  op(Activate);                      \
  op(Add);                           \
  op(Concat);                        \
  op(SliceChannels);                 \
  op(PadChannels);                   \
  op(GlobalAveragePool);             \
  op(Dropout);                       \
  op(Attention);                     \
  op(Softmax);                       \
  op(SoftmaxCrossEntropy);           \
  op(SigmoidBinaryCrossEntropy);     \
  op(Conv2dBackwardInput);           \
  op(Conv2dBackwardWeight);          \
  op(DepthwiseConv2dBackward);       \
  op(InvertedResidualBackward);      \
  op(InvertedResidualTrainBackward); \
  op(LinearBackwardInput);           \
  op(LinearBackwardWeight);          \
  op(BatchNormTrainBackward);        \
  op(FoldBatchNormBackward);         \
  op(ActivateBackward);              \
  op(GlobalAveragePoolBackward);     \
  op(AttentionBackward);             \
  op(SoftmaxCrossEntropyBackward);   \
  op(SigmoidBinaryCrossEntropyBackward)

#define FOVEA_INSTANTIATE(Op)                                      \
  template void define(const graph::Op&, const Operands<double>&); \
  template void define(const graph::Op&, const Operands<Rounded>&)

namespace fovea::reference {

#define FOVEA_DECLARE(Op) \
  template <class Real>   \
  void define(const graph::Op& op, const Operands<Real>& t)
FOVEA_DEFINED_OPS(FOVEA_DECLARE);
#undef FOVEA_DECLARE

/// Computes t.out from t.in.
template <class Real>
void evaluate(const graph::Op& op, const Operands<Real>& t) {
  std::visit([&](const auto& o) { define(o, t); }, op);
}

/// Whether the outputs are read before they are written.
[[nodiscard]] inline bool reads_outputs(const graph::Op& op) {
  return std::holds_alternative<graph::UpdateRunningStatistics>(op);
}

}  // namespace fovea::reference
