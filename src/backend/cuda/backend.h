// Fovea: the CUDA backend over a machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/backend.h"
#include "backend/cuda/machine.h"

namespace fovea::cuda {

[[nodiscard]] std::unique_ptr<Backend> make_backend(std::shared_ptr<Machine> machine);

}  // namespace fovea::cuda
