// Fovea: the CPU backend: oneDNN for dense products, own kernels for everything else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/backend.h"

namespace fovea {

/// Uses the widest vectors of this processor. The environment variable FOVEA_CPU (sse4, avx2, avx3 as AVX-512 is called here;
/// neon on Arm), read once, here, asks for narrower ones; an unknown or unusable value is an error that lists the usable ones.
/// The restriction reaches oneDNN too if this is the first backend of the process (oneDNN decides once).
Result<std::unique_ptr<Backend>> make_cpu_backend();

}  // namespace fovea
