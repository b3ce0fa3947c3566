// Fovea: what this machine can do at best, measured in the process whose speed is judged.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace fovea::bench {

/// fp32 product of two large square matrices, in GFLOP/s; the best of a few runs.
[[nodiscard]] double gemm_limit(int threads);
/// Reading and writing a large buffer, in GB/s of both together.
[[nodiscard]] double copy_limit(int threads);
/// The most memory that this process has held, in MiB.
[[nodiscard]] double peak_memory();
/// From now on now() counts processor time: with one thread, that is what a busy machine can still measure.
void use_processor_clock();
/// Seconds on a steady clock.
[[nodiscard]] double now();

}  // namespace fovea::bench
