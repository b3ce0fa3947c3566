// Fovea: the processor of a machine, as its kernel tells it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hardware/system_view.h"

namespace fovea::hardware {

/// "Intel(R) Xeon(R) Platinum 8481C"; empty where the system does not tell.
[[nodiscard]] std::string processor_name(const SystemView& system);

}  // namespace fovea::hardware
