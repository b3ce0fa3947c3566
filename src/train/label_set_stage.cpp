// SPDX-License-Identifier: Apache-2.0
//
// What a training run does otherwise for photos with any number of labels.
#include <fmt/format.h>

#include <algorithm>

#include "train/average_precision.h"
#include "train/label_calibration.h"
#include "train/label_sets.h"
#include "train/metrics.h"
#include "train/row_targets.h"
#include "train/thresholds.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

constexpr int kFolds = 5;

std::string in_percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string text_of(const MultiLabelFigures& figures, std::string_view photos) {
  return fmt::format("mean average precision {} of {} (95 % interval {} to {}); F1 {} micro, {} macro",
                     in_percent(figures.mean_average_precision), photos, in_percent(figures.interval.low),
                     in_percent(figures.interval.high), in_percent(figures.micro_f1), in_percent(figures.macro_f1));
}

}  // namespace

bool TrainingRun::fitted_apart() const { return best_stage_ == "head" && !held_out_.index.empty(); }

TrainingRun::FittingRows TrainingRun::fitting_rows() const {
  if (fitted_apart()) return {&held_out_, data_.train, "training photos (each as a last layer of the other folds sees it)"};
  return {best_ ? &best_->logits : nullptr, data_.val, "validation photos"};
}

TrainingRun::Validation TrainingRun::judge_label_sets(LabelledTable logits, std::span<const Sample> samples) const {
  const std::vector<float> probabilities = label_probabilities(logits.table, 1);
  const std::vector<std::uint8_t> targets = targets_of(logits.index, samples, data_.class_count());
  const LabelSetPredictions predictions{probabilities, targets, data_.classes.size()};
  Validation validation;
  validation.accuracy = mean_average_precision(predictions);
  validation.loss = log_loss(predictions);
  validation.logits = std::move(logits);
  return validation;
}

void TrainingRun::fit_label_sets() {
  const FittingRows rows = fitting_rows();
  if (rows.logits == nullptr || rows.logits->index.empty()) return;  // nothing to fit to: what was there stays
  const auto targets = targets_of(rows.logits->index, rows.samples, data_.class_count());
  model_.calibration.temperature = fit_temperature(rows.logits->table, targets);
  const std::vector<float> probabilities = label_probabilities(rows.logits->table, model_.calibration.temperature);
  model_.thresholds = fit_thresholds({probabilities, targets, data_.classes.size()});
}

void TrainingRun::calibrate_label_sets() {
  const FittingRows rows = fitting_rows();
  if (rows.logits == nullptr || rows.logits->index.empty()) return;
  const RowTargets truth = row_targets(rows.logits->index, rows.samples, data_.class_count(), true);
  CalibrationReport report =
      fit_label_calibration(rows.logits->table, truth.targets, stratified_folds(truth.labels, {}, kFolds, options_.seed));
  report.fitted_on = rows.what;
  const auto note = [&](std::string key, std::string value) { model_.provenance.emplace_back(std::move(key), std::move(value)); };
  note("calibration_error", fmt::format("{:.6f}", report.error));
  note("calibration_error_before", fmt::format("{:.6f}", report.error_before));
  note("calibration_error_cross_fitted", fmt::format("{:.6f}", report.error_cross_fitted));
  reporter_.choice(
      {"calibration", fmt::format("temperature {:.3f}", report.temperature),
       fmt::format("error {:.4f} before, {:.4f} after, on the {} {} that it was fitted on; {:.4f} when each fifth of "
                   "them is left out of the fit",
                   report.error_before, report.error, report.photos, rows.what, report.error_cross_fitted)});
  const auto [least, most] = std::ranges::minmax(model_.thresholds);
  reporter_.choice({"thresholds", fmt::format("{:.2f} to {:.2f}", least, most),
                    fmt::format("each class's best F1 on the {} {} that they were fitted on", report.photos, rows.what)});
  reporter_.report().calibration = report;
}

void TrainingRun::test_label_sets(const LabelledTable& logits) {
  TrainReport& report = reporter_.report();
  const std::vector<float> probabilities = label_probabilities(logits.table, model_.calibration.temperature);
  const std::vector<std::uint8_t> targets = targets_of(logits.index, data_.test, data_.class_count());
  const LabelSetPredictions predictions{probabilities, targets, data_.classes.size()};
  report.test_multi_label = figures_of(predictions, decide(predictions, model_.thresholds));
  report.test_accuracy = report.test_multi_label->exact_match;
  report.test_interval = interval_of(*report.test_accuracy, report.test_photos);
  report.test_calibration_error = calibration_error(predictions);
}

std::vector<std::uint8_t> TrainingRun::honest_answers(const LabelSetPredictions& predictions) const {
  if (fitted_apart()) return decide(predictions, model_.thresholds);
  const RowTargets truth = row_targets(best_->logits.index, data_.val, data_.class_count(), false);
  return decide_by_other_folds(predictions, stratified_folds(truth.labels, {}, kFolds, options_.seed));
}

void TrainingRun::state_label_sets() {
  TrainReport& report = reporter_.report();
  if (best_ && !data_.val.empty()) {
    const Evaluation evaluation = evaluation_of_label_sets();
    report.val_photos = evaluation.photos;
    report.multi_label = evaluation.multi_label;
    report.accuracy = evaluation.accuracy;
    report.interval = evaluation.interval;
    report.picked_by_validation = !report.epochs.empty();
  }
  const auto note = [&](std::string key, std::string value) { model_.provenance.emplace_back(std::move(key), std::move(value)); };
  if (report.test_multi_label) {
    note("accuracy", text_of(*report.test_multi_label, fmt::format("{} test photos, which no choice saw", report.test_photos)));
    note("test_mean_average_precision", fmt::format("{:.6f}", report.test_multi_label->mean_average_precision));
    note("test_photos", std::to_string(report.test_photos));
    note("test_calibration_error", fmt::format("{:.6f}", *report.test_calibration_error));
  } else if (report.multi_label) {
    std::string photos = fmt::format("{} validation photos", report.val_photos);
    if (report.picked_by_validation) photos += ", which also picked the best epoch";
    if (!fitted_apart()) photos += "; F1 by thresholds of other folds of them";
    note("accuracy", text_of(*report.multi_label, photos));
  }
  if (report.multi_label) {
    note("val_mean_average_precision", fmt::format("{:.6f}", report.multi_label->mean_average_precision));
    note("val_micro_f1", fmt::format("{:.6f}", report.multi_label->micro_f1));
    note("val_macro_f1", fmt::format("{:.6f}", report.multi_label->macro_f1));
    note("val_photos", std::to_string(report.val_photos));
  }
  if (report.calibration)
    note("thresholds_fitted_on", fmt::format("{} {}", report.calibration->photos, report.calibration->fitted_on));
}

}  // namespace fovea::training
