// Fovea: GPUs of this machine as a team of trainers, or the reason why they cannot be one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "communicate/communicator.h"

namespace fovea {

/// A member for each of these GPUs, whose spans lie in that GPU's memory; by NCCL, in the CUDA plug-in. kUnsupported when the
/// plug-in, NCCL or a GPU cannot be had.
Result<std::vector<std::unique_ptr<Communicator>>> make_gpu_team(std::span<const int> devices);

}  // namespace fovea
