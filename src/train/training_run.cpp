// SPDX-License-Identifier: Apache-2.0
#include "train/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "model/weights.h"
#include "runtime/machine_tuning.h"
#include "train/calibration.h"
#include "train/metrics.h"
#include "train/photo_marks.h"
#include "train/precision.h"

namespace fovea {

Result<TrainReport> train(const TrainOptions& options, TrainObserver* observer) {
  return training::TrainingRun(options, observer).run();
}

}  // namespace fovea

namespace fovea::training {
TrainingRun::TrainingRun(const TrainOptions& options, TrainObserver* observer) : options_(options), reporter_(observer) {
  context_.threads = options.threads > 0 ? options.threads : available_processors();
  context_.deterministic = options.deterministic;
  context_.stop = options.stop;
  context_.log = reporter_.log_sink();
  context_.tuning = machine_tuning(fovea::Tuning::Mode::kMeasure);
}

Result<TrainReport> TrainingRun::run() {
  constexpr std::string_view kGoOn = ": the same command with --resume goes on when it is there again";
  if (const Result<void> done = run_to_the_end(); !done) return context_.why_ended(done.error(), kGoOn);
  TrainReport& report = reporter_.report();
  if (stopped_ && context_.folders_lost()) report.lost_folder = context_.folders->stopped(kGoOn).message;
  return std::move(report);
}

Result<void> TrainingRun::run_to_the_end() {
  FOVEA_TRY(prepare());
  const Result<void> outcome = stages();
  if (!outcome) {
    const bool usable = outcome.error().kind == Error::Kind::kCancelled && !best_stage_.empty();
    if (!usable) return outcome.error();
    stopped_ = true;
  }
  FOVEA_TRY(finish());
  if (!stopped_) FOVEA_TRY(fold_runs());
  // What a time budget left out is not an interruption.
  const bool interrupted = (stopped_ && context_.stop_requested()) || !reporter_.report().lost_folder.empty();
  if (!interrupted) checkpoint_.remove();
  return {};
}

Result<void> TrainingRun::prepare() {
  FOVEA_TRY(check_options(options_));
  std::vector<Device> devices = std::move(given_devices_);
  if (devices.empty()) {
    FOVEA_ASSIGN(devices, open_devices(options_.device));
  }
  device_ = std::move(devices.front());
  more_devices_.assign(std::make_move_iterator(devices.begin() + 1), std::make_move_iterator(devices.end()));
  FOVEA_ASSIGN(precision_, choose_precision(options_.precision, *device_.backend));
  FOVEA_TRY(choose_decoder());
  reporter_.begin_stage("scan");
  FOVEA_TRY(scan());
  FOVEA_ASSIGN(model_, make_model(options_, data_.classes));
  FOVEA_ASSIGN(paths_, prepare_paths(options_));
  FOVEA_TRY(keep_earlier_model());
  FOVEA_TRY(open_checkpoint());
  reporter_.write_to(paths_.run_folder, checkpoint_.resumed());
  std::string names = device_.name;
  for (const Device& device : more_devices_) names += ", " + device.name;
  reporter_.choice({"device", names, device_.reason});
  if (decoder_)
    reporter_.choice({"decoder", std::string(decoder_->name()),
                      "of the photos that fine-tuning varies; what is measured is decoded by the CPU"});
  for (const std::string& note : data_.notes) reporter_.note(note);
  reporter_.skipped(data_.missing);
  if (data_.multi_label) {
    reporter_.measure_by(Measure::kMeanAveragePrecision);
    model_.thresholds.assign(data_.classes.size(), 0.5);
    reporter_.choice({"labels", "any number a photo", "each class is a question of its own, answered from its own threshold on"});
  }
  balance_ = plan_balance(options_, data_);
  if (balance_.choice) reporter_.choice(*balance_.choice);
  reporter_.end_stage();
  TrainReport& report = reporter_.report();
  report.model = paths_.model;
  report.run_folder = paths_.run_folder;
  report.arch = model_.architecture;
  report.classes = data_.classes;
  report.train_photos = static_cast<std::int64_t>(data_.train.size());
  compare_with_before();
  return {};
}

void TrainingRun::compare_with_before() {
  before_ = std::exchange(model_.seen, std::nullopt);
  if (!before_) return;
  model_.provenance.emplace_back(std::string(kWeightsOfPhotos), options_.weights.string());
  const std::vector<Sample>& judged = data_.test.empty() ? data_.val : data_.test;
  const std::optional<double> known = share_seen(before_->learned, marks_of(context_, judged));
  if (judged.empty() || known == 0.0) return;
  reporter_.report().caveat =
      fmt::format("The weights that training began with had learned {} of these photos: on new ones expect less.",
                  known ? fmt::format("{:.1f} %", 100 * *known) : "perhaps some");
  reporter_.warning(fmt::format("--weights {}: made from {} of the {} photos: their accuracy will be too good",
                                options_.weights.string(), known ? fmt::format("{:.1f} %", 100 * *known) : "perhaps some",
                                data_.test.empty() ? "validation" : "test"));
}

Result<void> TrainingRun::choose_decoder() {
  if (options_.decode == DecodeChoice::kCpu) return {};
  auto device = device_.backend->jpeg_decoder();
  if (!device) return fail(device.error().kind, "--decode gpu: {}; --decode cpu always can", device.error().message);
  decoder_ = std::make_unique<DeviceDecoder>(std::move(*device));
  return {};
}

Result<void> TrainingRun::scan() {
  if (given_) {
    data_ = *given_;
  } else {
    FOVEA_ASSIGN(data_,
                 scan_dataset(options_.data,
                              {.strict = options_.strict, .multi_label = options_.multi_label, .more = options_.more_data}));
  }
  FOVEA_TRY(check_trainable(data_));
  context_.folders = std::make_shared<NamedFolders>(folders_of(data_));
  if (data_.val.empty() && options_.val_fraction > 0) {
    FOVEA_TRY(hold_out_validation(context_, data_, {.fraction = options_.val_fraction, .seed = options_.seed}));
  }
  return {};
}

Result<void> TrainingRun::stages() {
  const bool from_features = options_.pretrained;
  if (from_features && options_.head == HeadKind::kLinear) FOVEA_TRY(head_stage());
  if (from_features && options_.head == HeadKind::kConv) FOVEA_TRY(conv_head_stage());
  switch (options_.scope) {
    case Scope::kHead: return {};
    case Scope::kTail: return tail_stage();
    case Scope::kFull: return full_stage();
    case Scope::kAuto: break;
  }
  constexpr double kGoodEnough = 0.995;
  if (best_ && best_->accuracy >= kGoodEnough) {
    reporter_.choice({"fine-tuning", "no",
                      data_.multi_label ? "the last layer alone puts the validation photos of nearly every label first"
                                        : "the last layer alone is right on nearly every validation photo"});
    return {};
  }
  return full_stage();
}

Result<TrainingRun::Validation> TrainingRun::validate(Inference& logits) {
  FOVEA_ASSIGN(LabelledTable out, val_rows_->run(logits, reporter_));
  if (data_.multi_label) return judge_label_sets(std::move(out), data_.val);
  const std::vector<float> probabilities = probabilities_of(out.table, Calibration{});
  const Predictions predictions{probabilities, out.labels};
  return Validation{accuracy(predictions), log_loss(predictions), std::move(out)};
}

Result<bool> TrainingRun::keep_if_better(Validation validation, std::span<const float> weights, std::string_view stage) {
  for (const float weight : weights) {
    if (!std::isfinite(weight)) return false;
  }
  // Equally many right: the surer one. Without validation photos the latest counts.
  const bool first = !best_ || data_.val.empty();
  const bool better =
      first || validation.accuracy > best_->accuracy || (validation.accuracy == best_->accuracy && validation.loss < best_->loss);
  if (!better) return false;
  std::ranges::copy(weights, model_.parameters.all().begin());
  best_ = std::move(validation);
  best_stage_ = stage;
  if (data_.multi_label) {
    fit_label_sets();
  } else {
    model_.calibration.temperature = fit_temperature(best_->logits.table, best_->logits.labels);
  }
  if (!replaying_) FOVEA_TRY(save_so_far());
  return true;
}

Result<void> TrainingRun::finish() {
  FOVEA_TRY(close());
  TrainReport& report = reporter_.report();
  report.best_stage = best_stage_;
  report.stopped = stopped_;
  model_.provenance.emplace_back("data", options_.data.string());
  model_.provenance.emplace_back("train_photos", std::to_string(report.train_photos));
  model_.provenance.emplace_back("stage", best_stage_);
  model_.provenance.emplace_back("seed", std::to_string(options_.seed));
  for (const Choice& choice : report.choices) {
    model_.provenance.emplace_back("choice: " + choice.what, fmt::format("{} ({})", choice.chosen, choice.reason));
  }
  FOVEA_TRY(save_in_the_end());
  report.seconds = reporter_.seconds();
  write_report();
  return {};
}

}  // namespace fovea::training
