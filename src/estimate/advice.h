// Fovea: which network a person should pick, from what each would cost and what it is known to be worth.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "fovea/plan.h"

namespace fovea::estimate {

/// Runs beyond this are for who asks for them.
inline constexpr double kPatience = 3600;  // seconds

/// Fills every plan's advice. Picks the most accurate network whose weights are here, whose memory there is (`free_bytes`; 0: not
/// known) and whose run takes at most `patience` seconds; if all take longer, the shortest.
std::optional<std::size_t> advise(std::span<NetworkPlan> networks, std::int64_t free_bytes, double patience = kPatience);

}  // namespace fovea::estimate
