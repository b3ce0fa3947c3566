// Fovea: where the sun stands.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "fovea/watch.h"

namespace fovea::watching {

/// Height of the sun's centre above the horizon in degrees, without refraction. J. Meeus, "Astronomical Algorithms", 2nd ed.,
/// chapters 12, 13, 22 and 25 (the low-accuracy sun, 0.01 degrees), as in NOAA's solar calculator. UTC is taken for UT1 and TT:
/// that and the sun's parallax are another 0.004 degrees at most.
[[nodiscard]] double sun_height(std::chrono::sys_seconds time, const Place& place);

}  // namespace fovea::watching
