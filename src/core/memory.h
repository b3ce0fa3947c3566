// Fovea: the memory of this machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea {

/// Bytes that this process may still take without anything being swapped out: control-group limit included; 0 when not known.
[[nodiscard]] std::int64_t available_memory();

}  // namespace fovea
