// Fovea: what this machine can do at best, measured in the process whose speed is judged.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace fovea::hardware {

/// Seconds since some moment.
using Clock = double (*)();
[[nodiscard]] double steady_seconds();

/// fp32 products, in GFLOP/s; the best of a few runs. On x86 oneDNN's of two large square matrices; elsewhere, where that is a
/// plain loop, one of small matrices that stay in the first-level cache.
[[nodiscard]] double gemm_rate(int threads, Clock now = steady_seconds);
/// Reading and writing a large buffer, in GB/s of both together.
[[nodiscard]] double copy_rate(int threads, Clock now = steady_seconds);

}  // namespace fovea::hardware
