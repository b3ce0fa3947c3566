// Fovea: from a folder of photos to a trained model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/interval.h"
#include "fovea/multi_label.h"
#include "fovea/result.h"
#include "fovea/skipped_photo.h"
#include "fovea/utilisation.h"

namespace fovea {

/// How much of the network learns.
enum class Scope : std::uint8_t {
  kAuto,  ///< the last layer, then the whole network if there is time and it helps
  kHead,  ///< the last layer on the frozen backbone, solved exactly
  kTail,  ///< the last blocks, from cached activations
  kFull,  ///< every layer, starting from the exact last layer
};

enum class HeadKind : std::uint8_t {
  kLinear,  ///< global average pooling, dense
  kConv,    ///< 2-D convolution with ReLU, dropout, pooling, dense
};

enum class BatchNormMode : std::uint8_t {
  kAuto,    ///< kFrozen from pretrained weights, kLive from random ones
  kFrozen,  ///< the stored statistics stay as they are
  kLive,    ///< statistics of each batch; the stored ones follow
};

enum class OptimizerKind : std::uint8_t { kAdamW, kSgd };

/// How a photo of any shape becomes the network's rectangle.
enum class FitChoice : std::uint8_t {
  kAuto,  ///< chosen by cross-validation on the training photos
  kLetterbox,
  kCrop,
  kSquash,
};

enum class AugmentLevel : std::uint8_t {
  kNone,
  kLight,     ///< random resized crop and flip
  kStandard,  ///< and colour jitter
  kStrong,    ///< and RandAugment and random erasing
};

/// What fine-tuning multiplies; weights, gradients and sums are 32-bit floats either way.
enum class PrecisionChoice : std::uint8_t {
  kAuto,  ///< kBf16 where the device is made for it
  kFp32,
  kBf16,  ///< in dense convolutions and blocks
  kTf32,  ///< there, on GPUs: floats of which eleven significant bits are multiplied
  kFp16,  ///< there, on GPUs: eleven significant bits in the range of 16; the loss is scaled so that gradients stay within it
};

/// Who decodes the photos that fine-tuning varies.
enum class DecodeChoice : std::uint8_t {
  kCpu,
  kGpu,  ///< NVIDIA's nvJPEG, where it takes a photo; its pixels are not quite the CPU's, which everything that is measured sees
};

/// In which proportion fine-tuning draws the classes.
enum class Balance : std::uint8_t {
  kAuto,  ///< kOn where one class has many times the photos of another
  kOff,   ///< every photo once an epoch
  kOn,    ///< each class as often as any other
};

enum class ClassWeights : std::uint8_t {
  kAuto,  ///< of the last layer, where fine-tuning draws evenly: the two then pull the same way
  kNone,
  kBalanced,  ///< each class weighs the same in the loss, however many photos it has
};

/// Everything a training run can be told. What is left empty, the recipe chooses, and says what it chose.
struct TrainOptions {
  std::filesystem::path data;  ///< class folders, or train/ and val/ of those, or a CSV
  std::vector<std::filesystem::path>
      more_data;                     ///< further photos to train on, laid out likewise: customers' corrections of a scale
  std::filesystem::path model;       ///< where the model goes; ".safetensors" is added to a name without extension
  std::filesystem::path run_folder;  ///< log, metrics, checkpoint; empty: MODEL's name with ".run", beside it
  std::string arch = "efficientnet_lite0";
  std::filesystem::path weights;  ///< pretrained backbone; empty: the default one from the cache folder
  bool pretrained = true;         ///< false: random weights; scope kFull only

  Scope scope = Scope::kAuto;
  HeadKind head = HeadKind::kLinear;
  BatchNormMode batchnorm = BatchNormMode::kAuto;
  FitChoice fit = FitChoice::kAuto;
  std::optional<double> zoom;  ///< of kCrop: shorter side through the side that is kept, 1 or more
  std::optional<int> size;     ///< input side in pixels; empty: that of the weights, or a larger one where that clearly pays
  std::optional<int> epochs;
  std::optional<int> batch;
  std::optional<double> time_budget_s;  ///< training plans to be done, and stops, within this time

  OptimizerKind optimizer = OptimizerKind::kAdamW;
  std::optional<double> lr;               ///< peak rate
  std::optional<double> weight_decay;     ///< not on biases and norms
  double momentum = 0.9;                  ///< of SGD
  std::optional<double> label_smoothing;  ///< empty: 0.1; with any number of labels a photo 0, which keeps rare labels rare
  double dropout = 0.2;
  double clip_norm = 1.0;           ///< of the whole gradient; 0: none
  std::optional<double> ema_decay;  ///< of the weight average; 0: none
  double mixup = 0.0;               ///< alpha of its Beta distribution; 0: none
  double cutmix = 0.0;
  Balance balance = Balance::kAuto;
  ClassWeights class_weights = ClassWeights::kAuto;
  std::optional<AugmentLevel> augment;

  double reject_rate = 0.05;  ///< share of known photos that may be taken for unknown, below 1; 0: nothing is rejected
  /// Photos may have any number of labels: each class is a question of its own. Always so for a CSV with `a;b`; asked for, also
  /// where the same photo lies in several class folders.
  bool multi_label = false;
  double val_fraction = 0.2;  ///< held out where the data has no val split of its own
  /// 2 or more: also k-fold cross-validation on the training photos, for the report; 0: none.
  int folds = 0;
  bool folds_of_recipe = false;  ///< each fold goes through everything that `scope` says, not the last layer alone
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: every processor this process may use
  bool deterministic = false;
  PrecisionChoice precision = PrecisionChoice::kAuto;
  DecodeChoice decode = DecodeChoice::kCpu;
  std::string device = "auto";
  bool strict = false;  ///< the first unreadable photo ends the run
  /// Go on with the interrupted run of this run folder, if there is one: it ends as if it had not been interrupted. Everything
  /// else must be as it was then.
  bool resume = false;
  double checkpoint_interval_s = 60;  ///< at most so much work is lost when the run is killed
  /// Set it from a signal handler or another thread: training finishes with the best model so far.
  const std::atomic<bool>* stop = nullptr;
};

/// A choice the recipe made, for people: {"fit", "crop", "82.1 % against 75.3 % (squash) in cross-validation"}.
struct Choice {
  std::string what;
  std::string chosen;
  std::string reason;
};

/// What `accuracy` is of a stage or an epoch.
enum class Measure : std::uint8_t {
  kAccuracy,              ///< share of photos whose most probable class is right
  kMeanAveragePrecision,  ///< with any number of labels a photo
};

struct StageReport {
  std::string name;  ///< "scan", "features", "head", "trial", "full", ...
  double seconds = 0.0;
  std::optional<double> accuracy;  ///< on the validation photos, where the stage made a model
  Measure measure = Measure::kAccuracy;
};

struct EpochReport {
  std::string stage;
  int epoch = 0;   ///< from 1
  int epochs = 0;  ///< planned
  double train_loss = 0.0;
  double val_loss = 0.0;
  double val_accuracy = 0.0;
  double lr = 0.0;                 ///< at the end of the epoch
  double images_per_second = 0.0;  ///< training alone
  double wait_share = 0.0;         ///< of the time, spent waiting for photos
  bool best = false;
  Measure measure = Measure::kAccuracy;  ///< what val_accuracy is
  std::optional<double> device_busy;     ///< as Utilisation::device_busy
  std::optional<double> loss_scale;      ///< in fp16, at the end of the epoch
  std::int64_t skipped_steps = 0;        ///< in fp16: whose gradients overflowed, so that they moved nothing
};

struct Progress {
  std::string_view stage;
  std::int64_t done = 0;  ///< photos
  std::int64_t total = 0;
  double images_per_second = 0.0;
  double seconds_left = 0.0;         ///< of this stage
  std::optional<double> wait_share;  ///< of this epoch's time, spent waiting for photos; none where nothing is fine-tuned

  /// Fills in the rate and the time left, `done` having taken `seconds`.
  void keep_time(double seconds);
};

/// How many of k folds of the training photos a cross-validation held out: of a large set a few are enough.
struct FoldsTried {
  int tried = 0;
  int folds = 0;
  /// "5-fold cross-validation", "1 fold of 5-fold cross-validation".
  [[nodiscard]] std::string describe() const;
};

/// The first usable model of a run is on disk; better ones may take its place.
struct FirstModel {
  std::filesystem::path path;
  double accuracy = 0.0;    ///< by cross-validation on the training photos
  FoldsTried folds;         ///< of that
  std::int64_t photos = 0;  ///< training photos behind it
  double seconds = 0.0;     ///< since the run began
  Measure measure = Measure::kAccuracy;
};

/// Told what happens, from the thread that called train(). Every function may be left as it is.
class TrainObserver {
 public:
  TrainObserver() = default;
  TrainObserver(const TrainObserver&) = delete;
  TrainObserver& operator=(const TrainObserver&) = delete;
  virtual ~TrainObserver() = default;

  virtual void on_stage_started(std::string_view /*stage*/) {}
  virtual void on_progress(const Progress& /*progress*/) {}
  virtual void on_first_model(const FirstModel& /*model*/) {}
  virtual void on_epoch(const EpochReport& /*epoch*/) {}
  virtual void on_stage_finished(const StageReport& /*stage*/) {}
  virtual void on_choice(const Choice& /*choice*/) {}
  virtual void on_skipped(const SkippedPhoto& /*photo*/) {}
  virtual void on_note(std::string_view /*text*/) {}
  virtual void on_warning(std::string_view /*text*/) {}
};

/// Accuracy on each of k folds of the training photos, by what the other folds made.
struct CrossValidation {
  std::string what;  ///< "last layer" or "whole recipe"
  std::vector<double> accuracies;
  double mean = 0;
  double deviation = 0;  ///< standard deviation between the folds
  Measure measure = Measure::kAccuracy;
};

/// Whether the stated probabilities are right: expected calibration errors over 15 bins, as Evaluation::calibration_error.
struct CalibrationReport {
  double temperature = 1.0;         ///< probabilities begin as softmax(logits / temperature)
  bool mapped = false;              ///< and the largest becomes what photos of like sureness were worth
  double error_before = 0.0;        ///< at temperature 1
  double error = 0.0;               ///< calibrated, on the photos that it was fitted on
  double error_cross_fitted = 0.0;  ///< each fifth of them calibrated by the others
  std::int64_t photos = 0;          ///< that it was fitted on
  std::string fitted_on = "validation photos";
};

/// What the model answers with "unknown".
struct RejectionReport {
  double threshold = 0.0;
  double known_rejected = 0.0;  ///< wrongly, of the photos that the threshold was chosen on
  std::int64_t known_photos = 0;
  std::string measured_on;     ///< "validation photos"
  double none_rejected = 0.0;  ///< of the photos of a none/ or background/ folder
  std::int64_t none_photos = 0;
  /// Probability that one of those scores higher than a known photo that the statistics do not come from: the area under the
  /// receiver operating characteristic. None without such photos.
  std::optional<double> none_area;
};

struct TrainReport {
  std::filesystem::path model;
  std::filesystem::path run_folder;
  std::filesystem::path html;  ///< the report for people, beside the model; empty if it could not be written
  std::string arch;
  std::vector<std::string> classes;
  std::int64_t train_photos = 0;
  std::int64_t val_photos = 0;
  std::optional<double> accuracy;  ///< on the validation photos; none if there are none
  Interval interval;               ///< Wilson's, at 95 %
  /// The best epoch was picked by the validation accuracy, so `accuracy` is slightly flattered; photos in a test/ split are not.
  bool picked_by_validation = false;
  /// On the validation photos, with any number of labels a photo; `accuracy` is then the share of photos answered exactly.
  std::optional<MultiLabelFigures> multi_label;
  /// Mean recall and mean F1 of the classes on the validation photos: each class counts the same. Where the classes are skewed.
  std::optional<double> balanced_accuracy;
  std::optional<double> macro_f1;
  std::optional<double> test_accuracy;                ///< on the photos of a test/ split, which no choice saw
  std::optional<MultiLabelFigures> test_multi_label;  ///< on the same, as `multi_label`
  std::int64_t test_photos = 0;
  std::optional<CrossValidation> cross_validation;  ///< where TrainOptions::folds asked for it
  Interval test_interval;
  std::optional<double> test_calibration_error;
  std::optional<double> test_rejected;  ///< share of the test photos that is wrongly rejected
  std::optional<CalibrationReport> calibration;
  std::optional<RejectionReport> rejection;  ///< none: the model rejects nothing
  std::string best_stage;
  std::vector<StageReport> stages;
  std::vector<EpochReport> epochs;
  std::optional<Utilisation> utilisation;  ///< of fine-tuning; none where nothing was fine-tuned
  std::vector<Choice> choices;
  std::string caveat;  ///< why `accuracy`, or `test_accuracy`, is too good: the weights had learned such photos; else empty
  std::vector<SkippedPhoto> skipped;
  double seconds = 0.0;
  bool stopped = false;     ///< on request, by the time budget or because a folder of photos is lost, with the best model so far
  std::string lost_folder;  ///< which, why, and how to go on; else empty
};

/// Trains and writes the model. Fails before any work is done for what can be known then: data without two classes, weights that
/// are not there, an output folder that cannot be written, a device that cannot be used (each kind of Error as its name says).
/// kCancelled: stopped before a model existed. `observer` may be null.
Result<TrainReport> train(const TrainOptions& options, TrainObserver* observer = nullptr);

}  // namespace fovea
