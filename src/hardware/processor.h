// Fovea: the processor and the memory of a machine, as its kernel tells them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "hardware/system_view.h"

namespace fovea::hardware {

/// "Intel(R) Xeon(R) Platinum 8481C"; empty where the system does not tell.
[[nodiscard]] std::string processor_name(const SystemView& system);
/// Bytes; 0 where the system does not tell.
[[nodiscard]] std::int64_t total_memory(const SystemView& system);
/// Bytes that this process may still take without anything being swapped out: control-group limit included; 0 when not known.
[[nodiscard]] std::int64_t available_memory(const SystemView& system);

}  // namespace fovea::hardware
