// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/live.h"

namespace fovea::cpu {
namespace {

template <class Op>
KernelResult prepare(const Setup& setup, const Op& op, graph::Precision precision) {
  return precision == graph::Precision::kBF16 ? block::prepare_live_bf16(setup, op) : block::prepare_live(setup, op);
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrain& op) { return prepare(setup, op, op.precision); }
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrainBackward& op) {
  return prepare(setup, op, op.forward.precision);
}

}  // namespace fovea::cpu
