// SPDX-License-Identifier: Apache-2.0
#include "train/reporter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "train/epoch_json.h"

namespace fovea {

std::string FoldsTried::describe() const {
  const std::string all = fmt::format("{}-fold cross-validation", folds);
  return tried < folds ? fmt::format("{} fold{} of {}", tried, tried == 1 ? "" : "s", all) : all;
}

void Progress::keep_time(double seconds) {
  images_per_second = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  seconds_left = images_per_second > 0 ? static_cast<double>(std::max<std::int64_t>(0, total - done)) / images_per_second : 0;
}

}  // namespace fovea

namespace fovea::training {
namespace {

/// Errors of photos begin with the path, which is told beside them.
std::string without_path(const SkippedPhoto& photo) {
  const std::string begin = photo.path.string() + ": ";
  return photo.reason.starts_with(begin) ? photo.reason.substr(begin.size()) : photo.reason;
}

void write(std::ofstream& file, const nlohmann::ordered_json& line) {
  if (file.is_open()) file << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n' << std::flush;
}

}  // namespace

void Reporter::write_to(const std::filesystem::path& run_folder, bool resumed) {
  log_.open(run_folder / "log.txt", resumed ? std::ios::app : std::ios::trunc);
  metrics_.open(run_folder / "metrics.jsonl", std::ios::trunc);
  timing_.open(run_folder / "timing.jsonl", resumed ? std::ios::app : std::ios::trunc);
}

void Reporter::log(std::string_view kind, std::string_view text) {
  const std::lock_guard lock(log_mutex_);
  if (log_.is_open()) log_ << fmt::format("{:8.2f} {:<7} {}\n", total_.seconds(), kind, text) << std::flush;
}

LogSink Reporter::log_sink() {
  return [this](Severity severity, std::string_view text) { log(severity == Severity::kWarning ? "warning" : "detail", text); };
}

void Reporter::begin_stage(std::string_view name, std::int64_t photos) {
  stage_watch_ = Stopwatch();
  stage_ = name;
  stage_photos_ = photos;
  stage_done_ = 0;
  told_ = -1;
  log("stage", name);
  observer_.on_stage_started(name);
}

void Reporter::advance(std::int64_t photos, std::optional<double> wait_share) {
  stage_done_ += photos;
  const double now = stage_watch_.seconds();
  if (now - told_ < 0.1 && stage_done_ < stage_photos_) return;
  told_ = now;
  Progress progress{stage_, stage_done_, stage_photos_};
  progress.wait_share = wait_share;
  progress.keep_time(now);
  observer_.on_progress(progress);
}

void Reporter::end_stage(std::optional<double> accuracy) {
  StageReport stage{stage_, stage_watch_.seconds(), accuracy, measure_};
  nlohmann::ordered_json line{{"event", "stage"}, {"stage", stage.name}};
  if (accuracy) line[std::string(name_of(measure_))] = *accuracy;
  write(metrics_, line);
  write(timing_, {{"event", "stage"}, {"stage", stage.name}, {"seconds", stage.seconds}, {"photos", stage_done_}});
  log("stage", fmt::format("{} done in {:.2f} s", stage.name, stage.seconds));
  report_.stages.push_back(stage);
  observer_.on_stage_finished(stage);
}

void Reporter::epoch(EpochReport epoch) {
  epoch.measure = measure_;
  write(metrics_, metrics_json(epoch));
  write(timing_, timing_json(epoch));
  report_.epochs.push_back(epoch);
  observer_.on_epoch(epoch);
}

void Reporter::utilisation(Utilisation utilisation) {
  nlohmann::ordered_json line{{"event", "utilisation"},
                              {"images_per_second", utilisation.images_per_second},
                              {"wait_share", utilisation.wait_share},
                              {"seconds", utilisation.seconds}};
  if (utilisation.device_busy) line["device_busy"] = *utilisation.device_busy;
  write(timing_, line);
  if (!utilisation.remedy.empty()) warning(utilisation.remedy);
  report_.utilisation = std::move(utilisation);
}

void Reporter::first_model(FirstModel model) {
  model.seconds = seconds();
  model.measure = measure_;
  const nlohmann::ordered_json line{{"event", "first_model"},
                                    {std::string(name_of(measure_)), model.accuracy},
                                    {"folds", model.folds.folds},
                                    {"folds_tried", model.folds.tried},
                                    {"photos", model.photos}};
  write(metrics_, line);
  log("model", fmt::format("{}: {} {:.1f} % in {} on {} photos", model.path.string(), name_of(measure_), 100 * model.accuracy,
                           model.folds.describe(), model.photos));
  observer_.on_first_model(model);
}

void Reporter::choice(Choice choice) {
  log("choice", fmt::format("{}: {} ({})", choice.what, choice.chosen, choice.reason));
  observer_.on_choice(choice);
  report_.choices.push_back(std::move(choice));
}

void Reporter::skipped(std::span<const SkippedPhoto> photos) {
  for (const SkippedPhoto& photo : photos) {
    if (!skipped_.insert(photo.path).second) continue;
    const SkippedPhoto told{photo.path, without_path(photo)};
    log("skipped", fmt::format("{}: {}", told.path.string(), told.reason));
    observer_.on_skipped(told);
    report_.skipped.push_back(told);
  }
}

void Reporter::note(std::string_view text) {
  log("note", text);
  observer_.on_note(text);
}

void Reporter::warning(std::string_view text) {
  log("warning", text);
  observer_.on_warning(text);
}

}  // namespace fovea::training
