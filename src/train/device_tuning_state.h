// Fovea: fine-tuning's buffers in the memory of a device that trains there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "train/tuning_state.h"

namespace fovea::training {

/// `backend` must have TrainingOps. Nothing but fetch() and put_back() moves buffers between the host and the device.
[[nodiscard]] std::unique_ptr<TuningState> make_device_tuning_state(const Backend& backend, ParameterSet& parameters,
                                                                    const OptimizerOptions& options, std::span<const Span> spans);

}  // namespace fovea::training
