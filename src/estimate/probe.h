// Fovea: a few real photos and steps, timed: where the pieces of an estimate come from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>

#include "backend/backend.h"
#include "core/context.h"
#include "data/dataset.h"
#include "estimate/run_cost.h"
#include "model/registry.h"

namespace fovea::estimate {

/// `count` of the samples, evenly spread over the list; all of them if they are fewer.
[[nodiscard]] std::vector<Sample> spread_samples(std::span<const Sample> samples, std::size_t count);

/// Costs of these photos at the input size of `preprocess`, varied as in a run of so many epochs, with a cache file of its own
/// that is removed again. `drawn_only`: a device makes the pixels. kFormat when none of them can be read.
Result<PhotoCosts> probe_photos(const Context& context, std::span<const Sample> samples, const Preprocess& preprocess,
                                const TrainOptions& options, int epochs, bool drawn_only);

struct NetworkProbe {
  const Context& context;
  const Backend& backend;
  std::span<const Sample> samples;  ///< that probe_photos has read, so that they come from memory
  const TrainOptions& options;
  const RunFacts& facts;
  double budget = 4;  ///< seconds, about: a network that needs more is timed on fewer photos, at least one
};
/// With random weights, which are as fast as others. `network` has the classes and the input size of the run.
Result<NetworkCosts> probe_network(const NetworkProbe& probe, const Architecture& network);

/// On made-up features of as many classes and that width: the time depends little on what they mean.
[[nodiscard]] HeadCosts probe_head(const Context& context, std::int64_t photos, std::int64_t width, int classes);

}  // namespace fovea::estimate
