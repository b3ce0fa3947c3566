// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/error.h"
#include "train/training_run.h"
#include "train/trial.h"

namespace fovea::training {
namespace {

std::string figure(std::string_view name, const TrialScore& score, bool multi_label) {
  return fmt::format("{}: {:.1f} % {} (loss {:.3f})", name, 100 * score.accuracy,
                     multi_label ? "mean average precision" : "right", score.loss());
}

}  // namespace

bool TrainingRun::time_for(double seconds) const {
  constexpr double kShare = 0.2;  // of what is left of the budget: the rest is for the real run
  return !options_.time_budget_s || seconds <= kShare * (*options_.time_budget_s - reporter_.seconds());
}

Result<std::optional<TuningWay>> TrainingRun::choose_way(const LoaderOptions& loading, PhotoSource& source) {
  const std::vector<TuningWay> ways = tuning_ways(options_, photos_shown());
  FOVEA_ASSIGN(std::optional<WayChoice> choice, recall_way());
  if (!choice) {
    FOVEA_ASSIGN(choice, try_ways(ways, loading, source));
    keep_way(*choice);
  }
  reporter_.choice({"fine-tuning", choice->way ? describe(*choice->way) : "no", choice->reason});
  return choice->way;
}

Result<WayChoice> TrainingRun::try_ways(std::span<const TuningWay> ways, const LoaderOptions& loading, PhotoSource& source) {
  const TuningWay usual = ways.front();
  if (!options_.pretrained) return WayChoice{usual, "the usual way from random weights"};
  if (!trial_decides(options_, ways)) return WayChoice{usual, "asked for"};
  if (trial_photos_.positions.empty()) return WayChoice{usual, "the usual way: too few photos for a trial"};
  const WayChoice no_time{usual, "the usual way: no time for a trial"};
  if (!time_for(1)) return no_time;

  const Stopwatch watch;
  const int epochs = trial_epochs(planned_epochs().epochs);
  const TrialSetting setting{*device_.backend, options_, model_,  data_.train,          trial_photos_,
                             strength_,        epochs,   loading, tuning_options(usual)};
  const auto photos = static_cast<std::int64_t>(trial_photos_.positions.size());
  reporter_.begin_stage("trial", photos * (1 + epochs * static_cast<std::int64_t>(ways.size())));
  FOVEA_ASSIGN(TuningTrial trial, TuningTrial::prepare(context_, setting, source, reporter_));
  // Training on a photo costs about four times a look at it.
  if (!time_for(4 * epochs * watch.seconds() * static_cast<double>(ways.size()))) {
    reporter_.end_stage();
    return no_time;
  }
  WayChoice choice{{},
                   fmt::format("on {} training photos unlike those of a short trial, {}", trial.untuned().losses.size(),
                               figure("the last layer alone", trial.untuned(), data_.multi_label))};
  const auto try_way = [&](const TuningWay& way) -> Result<TrialScore> {
    FOVEA_ASSIGN(TrialScore score, trial.run(way, source, reporter_));
    choice.reason += "; " + figure(describe(way), score, data_.multi_label);
    return score;
  };
  std::vector<TrialScore> scores;
  for (const TuningWay& way : ways) {
    FOVEA_ASSIGN(TrialScore score, try_way(way));
    scores.push_back(std::move(score));
  }
  const std::size_t best = best_way(scores);
  choice.way = ways[best];
  bool pays = tuning_pays(trial.untuned(), scores[best]);
  if (const auto gentler = gentler_way(options_, usual); gentler && !pays) {
    FOVEA_ASSIGN(const TrialScore score, try_way(*gentler));
    choice.way = gentler;
    pays = tuning_pays(trial.untuned(), score);
  }
  reporter_.end_stage();
  if (options_.scope == Scope::kAuto && !pays) choice.way.reset();
  return choice;
}

}  // namespace fovea::training
