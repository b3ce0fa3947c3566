// Fovea: stands in for the CUDA backend in a build without it.
// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda_backend.h"
#include "core/error.h"

namespace fovea {

Result<std::unique_ptr<Backend>> make_cuda_backend(int /*device*/) {
  return fail(Error::Kind::kUnsupported, "this build of Fovea has no CUDA backend");
}

}  // namespace fovea
