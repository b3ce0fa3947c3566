// Fovea: what a loss is multiplied by whose gradients are computed from 16-bit numbers of a narrow range.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define FOVEA_ON_BOTH __host__ __device__
#else
#define FOVEA_ON_BOTH
#endif

namespace fovea {

/// Small gradients would be zeros in fp16, whose numbers end at 2^-24, and large ones infinite. So the loss, and with it every
/// gradient, is multiplied by a power of two: as large a one as does not overflow, found by trying. (P. Micikevicius et al.,
/// "Mixed precision training", ICLR 2018, section 3.2.)
struct LossScale {
  float scale = 0x1p16F;
  std::int32_t good = 0;     ///< steps in a row, since `scale` was last moved
  std::int64_t skipped = 0;  ///< steps whose gradients were no numbers, so that they moved nothing

  static constexpr float kLeast = 1.0F, kMost = 0x1p24F;
  static constexpr std::int32_t kGoodSteps = 2000;  ///< after which a scale twice as large is tried

  /// What follows a step.
  [[nodiscard]] FOVEA_ON_BOTH LossScale after(bool finite) const {
    const auto within = [](float wanted) { return wanted < kLeast ? kLeast : wanted > kMost ? kMost : wanted; };
    if (!finite) return {within(scale / 2), 0, skipped + 1};
    if (good + 1 < kGoodSteps) return {scale, good + 1, skipped};
    return {within(scale * 2), 0, skipped};
  }
  friend bool operator==(const LossScale&, const LossScale&) = default;
};

}  // namespace fovea

#undef FOVEA_ON_BOTH
