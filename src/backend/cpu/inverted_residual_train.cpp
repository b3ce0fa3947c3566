// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/setup.h"
#include "core/error.h"

namespace fovea::cpu {

KernelResult prepare_op(const Setup& /*setup*/, const graph::InvertedResidualTrain& op) {
  return fail(Error::Kind::kUnsupported, "cpu backend: {} has no kernel", graph::name_of(op));
}
KernelResult prepare_op(const Setup& /*setup*/, const graph::InvertedResidualTrainBackward& op) {
  return fail(Error::Kind::kUnsupported, "cpu backend: {} has no kernel", graph::name_of(op));
}

}  // namespace fovea::cpu
