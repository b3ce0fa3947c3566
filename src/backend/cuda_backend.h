// Fovea: the CUDA backend, or the reason why this build has none.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/backend.h"

namespace fovea {

/// On GPU `device`. kUnsupported when it cannot be had. The plug-in is looked for beside the program and in its library folders,
/// or is the file that the environment variable FOVEA_CUDA_PLUGIN names.
Result<std::unique_ptr<Backend>> make_cuda_backend(int device = 0);

}  // namespace fovea
