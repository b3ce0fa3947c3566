// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/bf16.h"
#include "backend/cpu/block/f32.h"
#include "backend/cpu/setup.h"

namespace fovea::cpu {
namespace {

template <class Op>
KernelResult prepare(const Setup& setup, const Op& op, graph::Precision precision) {
  return precision == graph::Precision::kBF16 ? block::prepare_bf16(setup, op) : block::prepare_f32(setup, op);
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidual& op) { return prepare(setup, op, op.precision); }
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualBackward& op) {
  return prepare(setup, op, op.forward.precision);
}

}  // namespace fovea::cpu
