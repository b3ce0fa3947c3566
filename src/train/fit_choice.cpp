// SPDX-License-Identifier: Apache-2.0
#include "train/fit_choice.h"

#include <algorithm>

#include "core/rng.h"

namespace fovea::training {
namespace {

constexpr int kFolds = 4;

/// About `count` positions, every class by its share but at least kFolds of it where it has them; ascending.
std::vector<std::int32_t> choose(std::span<const Sample> samples, int classes, std::int64_t count, std::uint64_t seed) {
  struct Candidate {
    std::uint32_t draw;
    std::int32_t position;
  };
  std::vector<std::vector<Candidate>> by_class(static_cast<std::size_t>(classes));
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const std::uint32_t draw = Rng(seed, 0, static_cast<std::uint32_t>(n), 1)();
    by_class[static_cast<std::size_t>(samples[n].labels.front())].push_back({draw, static_cast<std::int32_t>(n)});
  }
  std::vector<std::int32_t> chosen;
  for (auto& candidates : by_class) {
    std::ranges::sort(candidates, {}, [](const Candidate& c) { return std::pair(c.draw, c.position); });
    const double share =
        static_cast<double>(count) * static_cast<double>(candidates.size()) / static_cast<double>(samples.size());
    const auto wanted = std::max<std::size_t>(kFolds, static_cast<std::size_t>(share + 0.5));
    for (std::size_t i = 0; i < std::min(wanted, candidates.size()); ++i) chosen.push_back(candidates[i].position);
  }
  std::ranges::sort(chosen);
  return chosen;
}

}  // namespace

Result<std::vector<FitTrial>> try_fits(const Context& context, std::span<const Sample> samples, int classes,
                                       std::span<const Preprocess> candidates, std::int64_t photos, Inference& features,
                                       Reporter& reporter, bool strict, std::uint64_t seed) {
  const std::vector<std::int32_t> positions = choose(samples, classes, photos, seed);
  std::vector<FitTrial> trials;
  for (const Preprocess& candidate : candidates) {
    const PhotoRows rows(context, samples, candidate, strict);
    auto table = rows.run_some(features, positions, reporter);
    if (!table) return table.error();
    const std::vector<float> weights(table->labels.size(), 1.0F);
    SoftmaxRegression::Score score;
    if (!table->labels.empty()) {
      const FeatureSet set{table->table.values, table->labels, table->table.width, classes};
      const SoftmaxRegression regression(context, set);
      const auto folds = stratified_folds(table->labels, {}, kFolds, seed);
      score = search_strength(context, regression, weights, folds).chosen().held_out;
    }
    trials.push_back({candidate, score});
  }
  return trials;
}

std::size_t best_fit(std::span<const FitTrial> trials) {
  const auto best = std::ranges::min_element(trials, {}, [](const FitTrial& trial) { return trial.held_out.loss; });
  return static_cast<std::size_t>(best - trials.begin());
}

std::vector<Preprocess> fit_candidates(const Preprocess& base) {
  std::vector<Preprocess> candidates;
  for (const Fit fit : {Fit::kCrop, Fit::kSquash, Fit::kLetterbox}) {
    candidates.push_back(base);
    candidates.back().fit = fit;
  }
  return candidates;
}

}  // namespace fovea::training
