// Fovea: what a training run tells: to the observer, to the log and the metrics in the run folder, and to the final report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/context.h"
#include "fovea/trainer.h"

namespace fovea::training {

/// Seconds since it was made.
class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class Reporter {
 public:
  /// `observer` may be null.
  explicit Reporter(TrainObserver* observer) : observer_(observer != nullptr ? *observer : silent_) {}

  /// Begins in this folder log.txt, metrics.jsonl (what depends on photos, options and seed alone: the same bytes for every
  /// run) and timing.jsonl (what does not). A resumed run writes its metrics anew, and adds to the others.
  void write_to(const std::filesystem::path& run_folder, bool resumed = false);
  /// The run has already taken so long, before it was interrupted.
  void add_earlier(double seconds) { earlier_ = std::max(earlier_, seconds); }

  /// What the accuracies of stages and epochs are; accuracy unless said.
  void measure_by(Measure measure) { measure_ = measure; }
  [[nodiscard]] Measure measure() const { return measure_; }
  void begin_stage(std::string_view name, std::int64_t photos = 0);
  /// Something that takes its time between stages, and has none of its own in the metrics.
  void working(std::string_view what) { observer_.on_stage_started(what); }
  /// Photos done of begin_stage's; told at most ten times a second.
  /// `wait_share` as in Progress.
  void advance(std::int64_t photos, std::optional<double> wait_share = std::nullopt);
  void end_stage(std::optional<double> accuracy = std::nullopt);
  void epoch(EpochReport epoch);
  /// Called out where it has a remedy.
  void utilisation(Utilisation utilisation);
  void first_model(FirstModel model);  ///< adds the seconds and the measure
  void choice(Choice choice);
  /// Each path once.
  void skipped(std::span<const SkippedPhoto> photos);
  void note(std::string_view text);
  void warning(std::string_view text);

  /// For Context::log: from any thread, to the log alone.
  [[nodiscard]] LogSink log_sink();

  [[nodiscard]] TrainReport& report() { return report_; }
  [[nodiscard]] double seconds() const { return earlier_ + total_.seconds(); }
  [[nodiscard]] double stage_seconds() const { return stage_watch_.seconds(); }

 private:
  void log(std::string_view kind, std::string_view text);

  TrainObserver silent_;
  TrainObserver& observer_;
  TrainReport report_;
  std::mutex log_mutex_;
  std::ofstream log_;
  std::ofstream metrics_;
  std::ofstream timing_;
  std::set<std::filesystem::path> skipped_;
  Stopwatch total_;
  double earlier_ = 0;
  Stopwatch stage_watch_;
  Measure measure_ = Measure::kAccuracy;
  std::string stage_;
  std::int64_t stage_photos_ = 0;
  std::int64_t stage_done_ = 0;
  double told_ = -1;
};

}  // namespace fovea::training
