// SPDX-License-Identifier: Apache-2.0
//
// The HTML report that a training run leaves beside the model.
#include <fmt/format.h>

#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "train/calibration.h"
#include "train/label_calibration.h"
#include "train/report_input.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

/// Whether a page may be replaced by a report: it is one.
bool is_report(const std::filesystem::path& page) {
  constexpr std::size_t kHead = 4096;
  return read_head(page, kHead).find(R"(<meta name="generator" content="Fovea )") != std::string::npos;
}

}  // namespace

Evaluation TrainingRun::evaluation_of_classes() const {
  const std::vector<float> probabilities = probabilities_of(best_->logits.table, model_.calibration);
  const Predictions predictions{probabilities, best_->logits.labels};
  Evaluation evaluation = evaluation_of(predictions, model_.classes, 5);
  evaluation.wrong = wrong_photos(predictions, best_->logits.index, data_.val, model_.classes);
  return evaluation;
}

Evaluation TrainingRun::evaluation_of_label_sets() const {
  const std::vector<float> probabilities = label_probabilities(best_->logits.table, model_.calibration.temperature);
  const std::vector<std::uint8_t> targets = targets_of(best_->logits.index, data_.val, data_.class_count());
  const LabelSetPredictions predictions{probabilities, targets, model_.classes.size()};
  const std::vector<std::uint8_t> answered = honest_answers(predictions);
  Evaluation evaluation = evaluation_of(predictions, answered, model_.thresholds, model_.classes);
  evaluation.wrong = wrong_photos(predictions, answered, best_->logits.index, data_.val, model_.classes);
  return evaluation;
}

Result<report::Input> TrainingRun::report_of_run() {
  if (!best_ || best_->logits.labels.empty()) return model_facts(context_, device_, model_, paths_.model);
  FOVEA_ASSIGN(report::Input input, report_input(context_, device_, model_, paths_.model, best_->logits, data_.val,
                                                 data_.multi_label ? evaluation_of_label_sets() : evaluation_of_classes()));
  input.measured_on = "validation photo";
  const bool same = !data_.multi_label || !fitted_apart();
  input.calibration->note = same ? "It was fitted on these same photos." : "It was fitted on training photos.";
  input.worth = reporter_.report().picked_by_validation
                    ? "The best epoch was picked by these photos, so on new ones expect slightly less."
                    : "The network was not trained on these photos.";
  if (const std::string& caveat = reporter_.report().caveat; !caveat.empty() && data_.test.empty()) input.worth = caveat;
  if (data_.multi_label && same)
    input.worth += " Labels are answered by thresholds that were fitted without the photo in question.";
  return input;
}

void TrainingRun::write_report() {
  TrainReport& report = reporter_.report();
  std::filesystem::path path = paths_.model;
  path.replace_extension(".html");
  std::error_code code;
  if (std::filesystem::exists(path, code) && !is_report(path)) {
    return reporter_.warning(fmt::format("no report: {} is there already and no report of Fovea's, so it stays", path.string()));
  }
  auto input = report_of_run();
  if (input) input->training = report;
  const Result<void> written = input ? write_file_atomically(path, report::to_html(*input)) : Result<void>(input.error());
  if (written) {
    report.html = std::move(path);
  } else {
    // The model is what counts, and it is there.
    reporter_.warning("no report: " + written.error().message);
  }
}

}  // namespace fovea::training
