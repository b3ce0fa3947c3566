// SPDX-License-Identifier: Apache-2.0
#include "train/fit_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"
#include "train/row_targets.h"
#include "train/trial_score.h"

namespace fovea::training {
namespace {

constexpr int kFolds = 4;

struct Candidate {
  std::uint32_t draw;
  std::int32_t position;
};

/// By home class, and last those of photos without one, in random order. Of very many classes a random part: how large things
/// should appear shows on that as well, and a last layer of all of them takes as long as the rest of a run.
std::vector<std::vector<Candidate>> candidates_by_class(std::span<const Sample> samples, int classes, std::uint64_t seed) {
  constexpr std::size_t kMostClasses = 200;
  const std::vector<std::int32_t> homes = home_classes(samples, classes);
  std::vector<std::vector<Candidate>> by_class(static_cast<std::size_t>(classes) + 1);
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const std::uint32_t draw = Rng(seed, 0, static_cast<std::uint32_t>(n), 1)();
    by_class[static_cast<std::size_t>(homes[n])].push_back({draw, static_cast<std::int32_t>(n)});
  }
  std::erase_if(by_class, [](const auto& candidates) { return candidates.empty(); });
  for (auto& candidates : by_class) {
    std::ranges::sort(candidates, {}, [](const Candidate& c) { return std::pair(c.draw, c.position); });
  }
  if (by_class.size() > kMostClasses) {
    std::ranges::stable_sort(by_class, {}, [](const auto& candidates) { return candidates.front().draw; });
    by_class.resize(kMostClasses);
  }
  return by_class;
}

/// Remembers what it decoded.
class Memory final : public PhotoSource {
 public:
  explicit Memory(int shorter_side) : decoder_(shorter_side) {}
  Result<Image> load(const std::filesystem::path& path) override {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = images_.find(path); found != images_.end()) return found->second;
    }
    FOVEA_ASSIGN(Image image, decoder_.load(path));
    const std::lock_guard lock(mutex_);
    return images_.emplace(path, std::move(image)).first->second;
  }

 private:
  Decoder decoder_;
  std::mutex mutex_;
  std::map<std::filesystem::path, Image> images_;
};

TrialScore held_out(const Context& context, const LabelledTable& table, std::span<const Sample> samples, int classes,
                    std::uint64_t seed, bool multi_label) {
  if (table.labels.empty()) return {};
  const std::vector<float> weights(table.labels.size(), 1.0F);
  const RowTargets truth = without_absent_classes(row_targets(table.index, samples, classes, multi_label));
  const auto regression = make_regression(context, truth.of(table.table));
  const std::vector<std::int32_t> folds = stratified_folds(truth.labels, {}, kFolds, seed);
  const double strength = search_strength(context, *regression, weights, folds).chosen().strength;
  Table logits{truth.classes, held_out_logits(*regression, weights, folds, strength)};
  return multi_label ? score_of_label_sets(logits, truth.targets) : score_of_classes(std::move(logits), truth.labels);
}

/// The rows of the samples at these positions, which ascend.
LabelledTable rows_at(const LabelledTable& table, std::span<const std::int32_t> positions) {
  LabelledTable found;
  found.table.width = table.table.width;
  for (std::size_t n = 0; n < table.index.size(); ++n) {
    if (!std::ranges::binary_search(positions, table.index[n])) continue;
    const auto row = table.table.row(static_cast<std::int64_t>(n));
    found.table.values.insert(found.table.values.end(), row.begin(), row.end());
    found.labels.push_back(table.labels[n]);
    found.index.push_back(table.index[n]);
    found.fingerprints.push_back(table.fingerprints[n]);
  }
  return found;
}

}  // namespace

std::vector<std::int32_t> fit_trial_photos(std::span<const Sample> samples, int classes, std::int64_t count, std::uint64_t seed) {
  const auto by_class = candidates_by_class(samples, classes, seed);
  const auto total = std::accumulate(by_class.begin(), by_class.end(), std::size_t{0},
                                     [](std::size_t sum, const auto& candidates) { return sum + candidates.size(); });
  std::vector<std::int32_t> chosen;
  for (const auto& candidates : by_class) {
    const double share = static_cast<double>(count) * static_cast<double>(candidates.size()) / static_cast<double>(total);
    const auto wanted = std::max<std::size_t>(kFolds, static_cast<std::size_t>(std::round(share)));
    for (std::size_t i = 0; i < std::min(wanted, candidates.size()); ++i) chosen.push_back(candidates[i].position);
  }
  std::ranges::sort(chosen);
  return chosen;
}

Result<std::vector<FitTrial>> try_fits(const Context& context, std::span<const Sample> samples, int classes,
                                       std::span<const Preprocess> candidates, std::int64_t photos, Inference& features,
                                       Reporter& reporter, bool strict, std::uint64_t seed, const LabelledTable* known,
                                       bool multi_label) {
  constexpr std::size_t kChunk = 64;  // decoded photos held at a time
  const std::vector<std::int32_t> positions = fit_trial_photos(samples, classes, photos, seed);
  int shorter_side = 0;
  std::vector<FitTrial> trials;
  for (const Preprocess& candidate : candidates) {
    trials.push_back({candidate, {}, {}});
    shorter_side = std::max(shorter_side, shorter_side_needed(candidate));
  }
  for (std::size_t begin = 0; begin < positions.size(); begin += kChunk) {
    const auto part = std::span(positions).subspan(begin, std::min(kChunk, positions.size() - begin));
    Memory memory(shorter_side);
    for (FitTrial& trial : trials) {
      if (known != nullptr && &trial == &trials.front()) {
        trial.features.append(rows_at(*known, part));
        continue;
      }
      const PhotoRows rows(context, samples, trial.preprocess, strict);
      FOVEA_ASSIGN(LabelledTable table, rows.run_some(features, part, reporter, &memory));
      trial.features.append(std::move(table));
    }
  }
  for (FitTrial& trial : trials) trial.held_out = held_out(context, trial.features, samples, classes, seed, multi_label);
  return trials;
}

std::size_t best_fit(std::span<const FitTrial> trials) {
  std::vector<TrialScore> scores;
  for (const FitTrial& trial : trials) scores.push_back(trial.held_out);
  return best_way(scores);
}

std::vector<Preprocess> fit_candidates(const TrainOptions& options, const Preprocess& base) {
  std::vector<Preprocess> candidates;
  const auto add = [&](Fit fit, float crop_fraction) {
    candidates.push_back(base);
    candidates.back().fit = fit;
    candidates.back().crop_fraction = crop_fraction;
  };
  const bool any = options.fit == FitChoice::kAuto;
  if (any || options.fit == FitChoice::kCrop) {
    if (options.zoom) {
      add(Fit::kCrop, static_cast<float>(1 / *options.zoom));
    } else {
      // What backbones are trained with, everything there is, and a closer look.
      for (const float crop_fraction : {0.875F, 1.0F, 0.7F}) add(Fit::kCrop, crop_fraction);
    }
  }
  if (any || options.fit == FitChoice::kSquash) add(Fit::kSquash, base.crop_fraction);
  if (any || options.fit == FitChoice::kLetterbox) add(Fit::kLetterbox, base.crop_fraction);
  return candidates;
}

Preprocess with_larger_input(const Preprocess& base) {
  constexpr int kStride = 32;  // of the networks, from input to last map
  const auto larger = [](int side) { return (side * 9 / 7 + kStride / 2) / kStride * kStride; };
  Preprocess result = base;
  result.height = larger(base.height);
  result.width = larger(base.width);
  return result;
}

std::string describe(const Preprocess& preprocess) {
  if (preprocess.fit != Fit::kCrop) return std::string(name_of(preprocess.fit));
  return fmt::format("crop of {:g} %", 100 * preprocess.crop_fraction);
}

std::string describe(const TrialScore& score) {
  return fmt::format("{:.1f} % right (loss {:.3f})", 100 * score.accuracy, score.loss());
}

}  // namespace fovea::training
