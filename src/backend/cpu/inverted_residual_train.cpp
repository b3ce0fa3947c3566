// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/live.h"

namespace fovea::cpu {

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrain& op) { return block::prepare_live(setup, op); }
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrainBackward& op) {
  return block::prepare_live(setup, op);
}

}  // namespace fovea::cpu
