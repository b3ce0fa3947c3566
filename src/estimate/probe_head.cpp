// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/rng.h"
#include "estimate/probe.h"
#include "train/cross_validation.h"
#include "train/rejection.h"

namespace fovea::estimate {
namespace {

/// Each class has directions of its own in which its photos lie a little further out: about as hard to part as photos are.
training::Table made_up_features(std::span<const std::int32_t> labels, std::int64_t width) {
  constexpr float kApart = 0.12F;
  training::Table table;
  table.width = width;
  table.values.reserve(labels.size() * static_cast<std::size_t>(width));
  for (std::size_t n = 0; n < labels.size(); ++n) {
    Rng noise(1, 0, static_cast<std::uint32_t>(n));
    Rng centre(2, static_cast<std::uint32_t>(labels[n]));
    for (std::int64_t d = 0; d < width; ++d) table.values.push_back(noise.uniform() + kApart * centre.uniform());
  }
  return table;
}

}  // namespace

HeadCosts probe_head(const Context& context, std::int64_t photos, std::int64_t width, int classes) {
  constexpr int kFolds = 5;
  constexpr std::int64_t kMostWork = 32'768;  // rows times classes
  constexpr std::int64_t kFewestRows = 256;
  const std::int64_t rows = std::min(std::max(photos, std::int64_t{2} * classes), std::max(kMostWork / classes, kFewestRows));
  std::vector<std::int32_t> labels;
  for (std::int64_t n = 0; n < rows; ++n) labels.push_back(static_cast<std::int32_t>(n % classes));
  const training::Table table = made_up_features(labels, width);
  const double share = static_cast<double>(photos) / static_cast<double>(rows);
  HeadCosts costs;
  costs.width = width;
  const CostWatch fit;
  (void)training::fit_head(context, {table.values, labels, width, classes}, std::vector<float>(labels.size(), 1.0F),
                           training::stratified_folds(labels, {}, kFolds, 0));
  const auto solved = [&](std::int64_t count) {  // by every fold that is tried, and by all photos in the end
    return 1.0 + training::folds_to_try(count, width, classes, kFolds);
  };
  costs.fit = share * solved(photos) / solved(rows) * fit.elapsed();
  const CostWatch reject;
  (void)training::fit_rejection(context, table);
  costs.reject = share * reject.elapsed();
  return costs;
}

}  // namespace fovea::estimate
