// Fovea: a team of trainers that are threads of this process, on the host's memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "communicate/communicator.h"

namespace fovea {

/// One for each rank, to be handed to its thread. Sums are taken rank by rank, so they do not depend on who came first.
[[nodiscard]] std::vector<std::unique_ptr<Communicator>> make_thread_team(int size);

}  // namespace fovea
