// Fovea: the clock of a measurement.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace fovea::bench {

/// From now on now() counts processor time: with one thread, that is what a busy machine can still measure.
void use_processor_clock();
/// Seconds on a steady clock.
[[nodiscard]] double now();

}  // namespace fovea::bench
