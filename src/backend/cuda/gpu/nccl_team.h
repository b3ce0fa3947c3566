// Fovea: GPUs of this machine as a team, by NCCL.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "communicate/communicator.h"

namespace fovea::cuda {

/// One member for each of the GPUs, whose spans lie in that GPU's memory. NCCL's library is opened here, so that who has one GPU
/// does not need it. kUnsupported when it cannot be opened or refuses the GPUs.
Result<std::vector<std::unique_ptr<Communicator>>> make_nccl_team(std::span<const int> devices);

}  // namespace fovea::cuda
