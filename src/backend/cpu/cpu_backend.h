// Fovea: the CPU backend: own kernels, and oneDNN for dense products of training where it has fast ones.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/backend.h"

namespace fovea {

/// Uses the widest vectors of this processor and its unit for bf16. The environment variable FOVEA_CPU, read once, here, asks for
/// narrower vectors (sse4, avx2, avx3 as AVX-512 is called here; neon on Arm), then without bf16, or for a unit (amx,
/// avx512_bf16); an unknown or unusable value is an error that lists the usable ones. The restriction reaches oneDNN too if this
/// is the first backend of the process (oneDNN decides once). FOVEA_PRODUCTS, read there too, says who computes the dense
/// products of training: onednn or own (kernels); without it what this kind of processor needs (products.h).
Result<std::unique_ptr<Backend>> make_cpu_backend();

}  // namespace fovea
