// Fovea: a stand-in for CUDA's runtime and cuBLASLt, to prove without a GPU that the backend asks them for what it may ask.
// SPDX-License-Identifier: Apache-2.0
//
// Work is done at once, in the host's memory; what is recorded is not done at all. Memory comes filled with rubbish. Products are
// computed as cuBLASLt documents them: columns first, by the descriptions that it was given. Kernels are the host's (launch.h),
// so neither streams nor recordings see them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fovea::test {

struct FakeCuda {
  /// What CUDA would have refused, or done otherwise than meant.
  std::vector<std::string> faults;
  bool has_bias_epilogue = true;
  /// Copies from the host's pages go on after the call, as where the GPU has the host's page tables.
  bool reads_host_pages = false;
  int waits = 0;                            ///< for a stream
  std::uint32_t reductions = 0;             ///< that the last choice of a product allowed
  std::vector<std::uint32_t> alignments{};  ///< of A, B, C and D, of the last choice
};

/// What the functions below work on. Of two devices.
[[nodiscard]] FakeCuda& fake_cuda();

}  // namespace fovea::test
