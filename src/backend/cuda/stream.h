// Fovea: the queue that kernels are started in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

struct CUstream_st;  // NOLINT(readability-identifier-naming): CUDA's own; in the proof on the host, a struct that gives the order
                     // in which indices are taken

namespace fovea::cuda {

using Stream = CUstream_st*;

}  // namespace fovea::cuda
