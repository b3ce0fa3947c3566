// Fovea: in which order an epoch visits the samples; and what each random stream of the data is called.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "data/loader.h"

namespace fovea {

/// The `purpose` of an Rng keyed by (seed, epoch, item, purpose).
enum class Purpose : std::uint32_t {
  kOrder = 1,        ///< item: 0, or the class
  kMix = 2,          ///< item: the batch
  kAugment = 0x100,  ///< item: the sample; plus how often it came before in this epoch
};

struct Visit {
  std::int32_t sample = 0;
  std::uint32_t earlier = 0;  ///< visits of the same sample before, in this epoch
};

/// One visit for each draw of the epoch, as LoaderOptions::Order says. A sample with several labels belongs to the rarest of
/// them, one without labels to a class of its own.
[[nodiscard]] std::vector<Visit> visits_of_epoch(std::span<const Sample> samples, const LoaderOptions& options,
                                                 std::uint32_t epoch);

}  // namespace fovea
