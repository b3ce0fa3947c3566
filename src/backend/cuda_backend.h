// Fovea: the CUDA backend, or the reason why this build has none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/backend.h"

namespace fovea {

/// kUnsupported when it cannot be had.
Result<std::unique_ptr<Backend>> make_cuda_backend();

}  // namespace fovea
