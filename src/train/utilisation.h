// Fovea: whether fine-tuning waited for its photos, and what to do about it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "fovea/trainer.h"

namespace fovea::training {

/// What handed photos to a training run.
struct Feeding {
  int threads = 1;
  int processors = 1;  ///< that there are
  bool gpu = false;
  std::string cache_trouble;  ///< why photos are decoded anew in each epoch; empty: they are not
};

/// Of all epochs; without the first of each stage, which decodes every photo, where others follow it. Nothing where there was
/// none.
[[nodiscard]] std::optional<Utilisation> utilisation_of(const TrainReport& report, const Feeding& feeding);

/// The sentence for people where `wait_share` of `seconds` went into waiting: what it was, and what to do. Empty where that is
/// not above kMostWaiting, or not worth anybody's time. `first_epoch`: nothing but first epochs is known.
[[nodiscard]] std::string remedy_for(double wait_share, double seconds, bool first_epoch, const Feeding& feeding);

}  // namespace fovea::training
