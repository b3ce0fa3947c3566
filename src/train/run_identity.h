// Fovea: what the result of a training run depends on, so that only the same run is ever taken up again.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "data/dataset.h"
#include "fovea/trainer.h"
#include "runtime/device.h"
#include "train/checkpoint.h"

namespace fovea::training {

/// Program version, options (threads aside: the bits do not depend on them), and the photos by name, size and time of change.
[[nodiscard]] Checkpoint::Identity run_identity(const TrainOptions& options, const Dataset& data, const Device& device,
                                                std::string_view decoder);

}  // namespace fovea::training
