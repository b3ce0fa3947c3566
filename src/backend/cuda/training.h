// Fovea: TrainingOps by the CUDA backend's kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/machine.h"
#include "backend/training_ops.h"

namespace fovea::cuda {

[[nodiscard]] std::shared_ptr<TrainingOps> make_training_ops(std::shared_ptr<Machine> machine);

}  // namespace fovea::cuda
