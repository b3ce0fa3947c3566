// SPDX-License-Identifier: Apache-2.0
//
// The HTML report that a training run leaves beside the model.
#include "core/error.h"
#include "core/file.h"
#include "train/calibration.h"
#include "train/report_input.h"
#include "train/training_run.h"

namespace fovea::training {

Result<report::Input> TrainingRun::report_of_run() {
  if (!best_ || best_->logits.labels.empty()) return model_facts(context_, device_, model_, paths_.model);
  const std::vector<float> probabilities = probabilities_of(best_->logits.table, model_.calibration);
  const Predictions predictions{probabilities, best_->logits.labels};
  Evaluation evaluation = evaluation_of(predictions, model_.classes, 5);
  evaluation.wrong = wrong_photos(predictions, best_->logits.index, data_.val, model_.classes);
  FOVEA_ASSIGN(report::Input input, report_input(context_, device_, model_, paths_.model, best_->logits, std::move(evaluation)));
  input.measured_on = "validation photo";
  input.calibration->note = "It was fitted on these same photos.";
  input.worth = reporter_.report().picked_by_validation
                    ? "The best epoch was picked by these photos, so on new ones expect slightly less."
                    : "The network was not trained on these photos.";
  return input;
}

void TrainingRun::write_report() {
  TrainReport& report = reporter_.report();
  std::filesystem::path path = paths_.model;
  path.replace_extension(".html");
  auto input = report_of_run();
  if (input) input->training = report;
  const Result<void> written = input ? write_file_atomically(path, report::to_html(*input)) : Result<void>(input.error());
  if (written) {
    report.html = path;
  } else {
    // The model is what counts, and it is there.
    reporter_.warning("no report: " + written.error().message);
  }
}

}  // namespace fovea::training
