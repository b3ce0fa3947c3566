// SPDX-License-Identifier: Apache-2.0
//
// What follows when the weights are final: how sure the model may say to be, what it rejects, and figures that can be trusted.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "train/balance.h"
#include "train/calibration.h"
#include "train/metrics.h"
#include "train/photo_marks.h"
#include "train/rejection.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

constexpr std::size_t kEnoughToMeasure = 100;  // validation photos whose scores alone set the threshold
constexpr int kFolds = 5;

std::string in_percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string in_percent(const Interval& interval) {
  return fmt::format("{} to {}", in_percent(interval.low), in_percent(interval.high));
}

/// Positions of [0, count) for rejection to learn from, evenly spread.
std::vector<std::int32_t> spread(std::int64_t count) {
  std::vector<std::int32_t> positions;
  const std::int64_t taken = rejection_size(count);
  for (std::int64_t i = 0; i < taken; ++i) positions.push_back(static_cast<std::int32_t>(i * count / taken));
  return positions;
}

struct KnownScores {
  std::vector<double> scores;
  std::string measured_on;
};

}  // namespace

void TrainingRun::remember_features(const LabelledTable& table) {
  known_.emplace();
  known_->table.width = table.table.width;
  for (const std::int32_t n : spread(table.table.rows())) {
    const auto row = table.table.row(n);
    known_->table.values.insert(known_->table.values.end(), row.begin(), row.end());
    known_->labels.push_back(table.labels[static_cast<std::size_t>(n)]);
    known_->fingerprints.push_back(table.fingerprints[static_cast<std::size_t>(n)]);
  }
}

Result<LabelledTable> TrainingRun::features_of_known() {
  if (known_ && best_stage_ == "head") return std::move(*known_);
  FOVEA_ASSIGN(Inference features, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, "features"));
  const PhotoRows rows(context_, data_.train, model_.preprocess, options_.strict);
  const auto positions = spread(rows.size());
  reporter_.begin_stage("rejection", static_cast<std::int64_t>(positions.size()));
  auto table = rows.run_some(features, positions, reporter_);
  if (table) reporter_.end_stage();
  return table;
}

Result<LabelledTable> TrainingRun::run_none() {
  std::vector<Sample> samples = data_.none.train;
  samples.insert(samples.end(), data_.none.val.begin(), data_.none.val.end());
  if (samples.empty()) return LabelledTable{};
  FOVEA_ASSIGN(Inference logits, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, "logits", true));
  reporter_.begin_stage("none", static_cast<std::int64_t>(samples.size()));
  FOVEA_ASSIGN(LabelledTable out, PhotoRows(context_, samples, model_.preprocess, options_.strict).run_once(logits, reporter_));
  reporter_.end_stage();
  return out;
}

Result<void> TrainingRun::learn_rejection() {
  if (options_.reject_rate <= 0 || best_stage_.empty()) return {};
  if (data_.multi_label) {
    reporter_.choice({"rejection", "none", "a photo that shows none of the classes is answered with no label"});
    return {};
  }
  if (stopped_ && !(known_ && best_stage_ == "head")) {
    reporter_.choice({"rejection", "none", "stopped before the training photos' features could be computed"});
    return {};
  }
  FOVEA_ASSIGN(const LabelledTable known, features_of_known());
  auto fitted = fit_rejection(context_, known.table);
  KnownScores scores;
  if (fitted && best_ && best_->logits.features.rows() > 0) {
    const LabelledTable& val = best_->logits;
    // Scores by folds, which join those of fewer validation photos below, have no energy.
    if (val.labels.size() >= kEnoughToMeasure) fitted->energy = measure_energy(val.table);
    scores = {rejection_scores(context_, *fitted, val.features, val.table), "validation photos"};
  }
  if (fitted && scores.scores.size() < kEnoughToMeasure) {
    const std::vector<int> groups = group_near_duplicates(known.fingerprints);
    const auto folds = stratified_folds(known.labels, groups, kFolds, options_.seed);
    const auto held_out = held_out_scores(context_, known.table, folds);
    scores.measured_on = scores.scores.empty() ? "training photos by folds" : "validation photos, and training photos by folds";
    scores.scores.insert(scores.scores.end(), held_out.begin(), held_out.end());
  }
  const auto lowest = threshold_for(scores.scores, options_.reject_rate);
  if (!fitted || !lowest) {
    reporter_.choice({"rejection", "none", fmt::format("too few photos to know one in {:.0f}", 1 / options_.reject_rate)});
    return {};
  }
  FOVEA_ASSIGN(const LabelledTable none_photos, stopped_ ? Result<LabelledTable>(LabelledTable{}) : run_none());
  const std::vector<double> none = rejection_scores(context_, *fitted, none_photos.features, none_photos.table);
  fitted->threshold = none.empty() ? *lowest : threshold_between(scores.scores, none, *lowest);
  fitted->known_photos = static_cast<std::int64_t>(scores.scores.size());
  fitted->known_rejected = share_above(scores.scores, fitted->threshold);
  fitted->measured_on = scores.measured_on;
  RejectionReport report{fitted->threshold, fitted->known_rejected, fitted->known_photos, fitted->measured_on};
  report.none_photos = static_cast<std::int64_t>(none.size());
  report.none_rejected = share_above(none, fitted->threshold);
  if (!none.empty()) report.none_area = area_under_curve(scores.scores, none);
  std::string reason = fmt::format("{} of {} {} are wrongly rejected (asked for: at most {})", in_percent(fitted->known_rejected),
                                   fitted->known_photos, fitted->measured_on, in_percent(options_.reject_rate));
  if (!none.empty()) {
    reason += fmt::format("; {} of {} photos of none of the classes, which also set it, are rejected",
                          in_percent(report.none_rejected), none.size());
    model_.provenance.emplace_back("none_rejected", fmt::format("{:.6f} of {}", report.none_rejected, none.size()));
  }
  reporter_.choice({"rejection", fmt::format("threshold {:.3f}", fitted->threshold), reason});
  reporter_.report().rejection = report;
  model_.rejection = std::move(*fitted);
  return {};
}

void TrainingRun::calibrate() {
  if (data_.multi_label) return calibrate_label_sets();
  if (!best_ || best_->logits.labels.empty()) return;
  auto [calibration, report] = fit_calibration(best_->logits.table, best_->logits.labels, options_.seed);
  model_.calibration = std::move(calibration);
  model_.provenance.emplace_back("calibration_error", fmt::format("{:.6f}", report.error));
  model_.provenance.emplace_back("calibration_error_before", fmt::format("{:.6f}", report.error_before));
  model_.provenance.emplace_back("calibration_error_cross_fitted", fmt::format("{:.6f}", report.error_cross_fitted));
  reporter_.choice(
      {"calibration", fmt::format("temperature {:.3f}{}", report.temperature, report.mapped ? " and a map of the surest" : ""),
       fmt::format("error {:.4f} before, {:.4f} after, on the {} validation photos that it was fitted on; {:.4f} when each fifth "
                   "of them is left out of the fit",
                   report.error_before, report.error, report.photos, report.error_cross_fitted)});
  reporter_.report().calibration = report;
}

Result<void> TrainingRun::test() {
  reporter_.begin_stage("test", static_cast<std::int64_t>(data_.test.size()));
  const PhotoRows rows(context_, data_.test, model_.preprocess, options_.strict);
  FOVEA_ASSIGN(Inference logits, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, "logits", true));
  FOVEA_ASSIGN(const LabelledTable out, rows.run_once(logits, reporter_));
  TrainReport& report = reporter_.report();
  report.test_photos = static_cast<std::int64_t>(out.labels.size());
  if (report.test_photos > 0 && data_.multi_label) {
    test_label_sets(out);
    reporter_.end_stage(report.test_multi_label->mean_average_precision);
    return {};
  }
  const std::vector<float> probabilities = probabilities_of(out.table, model_.calibration);
  const Predictions predictions{probabilities, out.labels};
  if (report.test_photos > 0) {
    report.test_accuracy = accuracy(predictions);
    report.test_interval = interval_of(*report.test_accuracy, report.test_photos);
    report.test_calibration_error = calibration_error(predictions);
    if (model_.rejection) {
      report.test_rejected =
          share_above(rejection_scores(context_, *model_.rejection, out.features, out.table), model_.rejection->threshold);
    }
  }
  reporter_.end_stage(report.test_accuracy);
  return {};
}

void TrainingRun::state_accuracy() {
  if (data_.multi_label) return state_label_sets();
  TrainReport& report = reporter_.report();
  const auto note = [&](std::string key, std::string value) { model_.provenance.emplace_back(std::move(key), std::move(value)); };
  if (best_ && !data_.val.empty()) {
    report.val_photos = static_cast<std::int64_t>(best_->logits.labels.size());
    report.accuracy = best_->accuracy;
    report.interval = interval_of(best_->accuracy, report.val_photos);
    report.picked_by_validation = !report.epochs.empty();
    tell_balance(data_, best_->logits, report);
  }
  if (report.test_accuracy) {
    note("accuracy", fmt::format("{} of {} test photos, which no choice saw (95 % interval {})",
                                 in_percent(*report.test_accuracy), report.test_photos, in_percent(report.test_interval)));
    note("test_accuracy", fmt::format("{:.6f}", *report.test_accuracy));
    note("test_photos", std::to_string(report.test_photos));
    note("test_calibration_error", fmt::format("{:.6f}", *report.test_calibration_error));
    if (report.test_rejected) note("test_rejected", fmt::format("{:.6f}", *report.test_rejected));
  } else if (report.accuracy) {
    note("accuracy",
         fmt::format("{} of {} validation photos{} (95 % interval {})", in_percent(*report.accuracy), report.val_photos,
                     report.picked_by_validation ? ", which also picked the best epoch" : "", in_percent(report.interval)));
  }
  if (report.accuracy) {
    note("val_accuracy", fmt::format("{:.6f}", *report.accuracy));
    note("val_photos", std::to_string(report.val_photos));
  }
}

void TrainingRun::remember_photos() {
  const TrainReport& report = reporter_.report();
  SeenPhotos seen{sketch_of(marks_of(context_, data_.train)), sketch_of(marks_of(context_, data_.val)), {}};
  const auto add = [&](bool chosen, std::string_view what) {
    if (chosen) seen.chose += (seen.chose.empty() ? "" : ", ") + std::string(what);
  };
  add(report.picked_by_validation, "best epoch");
  add(!data_.val.empty() && (data_.multi_label ? !fitted_apart() : report.calibration.has_value()), "calibration");
  add(!data_.val.empty() && report.rejection.has_value() && report.rejection->measured_on.starts_with("validation"),
      "threshold of rejection");
  if (before_) {
    seen.learned = merged(seen.learned, before_->learned);
    seen.judged = merged(seen.judged, before_->judged);
  }
  // Marks that could not be made would say of photos that they had no part.
  if (!context_.folders_lost()) model_.seen = std::move(seen);
}

Result<void> TrainingRun::close() {
  calibrate();
  const Result<void> rejection = learn_rejection();
  if (!rejection && rejection.error().kind != Error::Kind::kCancelled) return rejection.error();
  if (!rejection) stopped_ = true;
  if (!data_.test.empty() && !stopped_) {
    const Result<void> tested = test();
    if (!tested && tested.error().kind != Error::Kind::kCancelled) return tested.error();
    if (!tested) stopped_ = true;
  }
  state_accuracy();
  remember_photos();
  return {};
}

}  // namespace fovea::training
