// Fovea: an epoch's report as JSON, in the run folder and in checkpoints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "fovea/trainer.h"

namespace fovea::training {

/// "accuracy", "mean_average_precision".
[[nodiscard]] std::string_view name_of(Measure measure);

/// What depends on photos, options and seed alone: the same for every run.
[[nodiscard]] nlohmann::ordered_json metrics_json(const EpochReport& epoch);
/// What depends on the machine and the moment.
[[nodiscard]] nlohmann::ordered_json timing_json(const EpochReport& epoch);
/// From both, merged into one object; throws nlohmann::json::exception where a field is missing.
[[nodiscard]] EpochReport epoch_from(const nlohmann::ordered_json& json);

}  // namespace fovea::training
