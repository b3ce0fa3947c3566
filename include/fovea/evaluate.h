// Fovea: how good a model is on photos with known labels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fovea/multi_label.h"
#include "fovea/result.h"
#include "fovea/trainer.h"

namespace fovea {

struct EvaluateOptions {
  std::string split;  ///< "val", "test" or "train" of data that has them; empty: val, or everything where there are no splits
  int top = 5;        ///< the k of top-k accuracy
  int batch = 32;
  int threads = 0;
  bool deterministic = false;
  std::string device = "auto";
  bool strict = false;
  std::filesystem::path report;  ///< where to write the HTML report; empty: none
  const std::atomic<bool>* stop = nullptr;
};

struct ClassMetrics {
  std::string name;
  std::int64_t photos = 0;  ///< that are of this class
  double precision = 0.0;   ///< 0 where nothing was called so
  double recall = 0.0;      ///< 0 where there are no photos
  double f1 = 0.0;
  /// Of a model for photos with any number of labels.
  std::optional<double> average_precision = {};
  std::optional<double> threshold = {};  ///< the probability from which on it answers with this class
};

/// Answering only where the top probability reaches `threshold` answers `coverage` of the photos, `accuracy` of those rightly.
struct CoveragePoint {
  double threshold = 0.0;
  double coverage = 0.0;
  double accuracy = 0.0;
};

struct WrongPhoto {
  std::filesystem::path path;
  std::string label;         ///< several as in a CSV: "a;b"
  std::string predicted;     ///< likewise
  double probability = 0.0;  ///< of `predicted`; of several the surest of the wrong answers
  std::string about;         ///< that answer's class: `predicted`, or one of several that was wrongly answered or left out
};

/// How much of what a model is judged by it has seen before, by the bytes of the photos.
struct SeenBefore {
  double learned = 0.0;  ///< share of the photos that its weights were fitted to
  double judged = 0.0;   ///< share of the photos that something was chosen by: `chose`
  std::string chose;     ///< "the best epoch and the calibration"; empty: nothing
  /// What that means for the figures, in a sentence; empty where all photos are new, or chose nothing.
  std::string caveat;
};

struct Evaluation {
  std::int64_t photos = 0;
  double accuracy = 0.0;  ///< of photos with any number of labels: the share that got all of them and no other
  Interval interval;      ///< Wilson's, at 95 %
  int top = 5;
  double top_accuracy = 0.0;  ///< the label is among the `top` most probable
  double log_loss = 0.0;
  /// Expected calibration error: 15 equal bins of the top probability, mean |accuracy - probability| weighted by photos. With any
  /// number of labels: of every probability of every class.
  double calibration_error = 0.0;
  double balanced_accuracy = 0.0;  ///< mean recall of the classes that have photos
  double macro_f1 = 0.0;           ///< mean F1 of those
  std::optional<double> rejected;  ///< share of the photos that the model wrongly calls unknown; none: it has no such statistics
  std::int64_t none_photos = 0;    ///< of a none/ or background/ folder in the same split
  std::optional<double> none_rejected;  ///< share of those that it calls unknown
  /// Of a model for photos with any number of labels. Confusion, coverage and top-k accuracy then have no meaning and are empty.
  std::optional<MultiLabelFigures> multi_label;
  std::optional<SeenBefore> seen;  ///< none: the model cannot say
  std::vector<ClassMetrics> classes;
  std::vector<std::vector<std::int64_t>> confusion;  ///< [true class][predicted class]
  std::vector<CoveragePoint> coverage;               ///< from answering everything to the surest tenth
  std::vector<WrongPhoto> wrong;                     ///< surest first
  std::vector<SkippedPhoto> skipped;
  /// Labels in the data that the model does not know: their photos are left out, and counted here.
  std::vector<std::string> unknown_labels;
  std::int64_t unknown_photos = 0;
  double seconds = 0.0;
};

/// Runs `model` on `data` (any layout that train() takes), with the preprocessing stored in the model. `observer` may be null.
Result<Evaluation> evaluate(const std::filesystem::path& model, const std::filesystem::path& data,
                            const EvaluateOptions& options = {}, TrainObserver* observer = nullptr);

}  // namespace fovea
