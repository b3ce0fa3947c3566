// Fovea: one training run, stage by stage; a usable model is on disk after the first that makes one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/context.h"
#include "data/dataset.h"
#include "fovea/trainer.h"
#include "model/model_file.h"
#include "report/report.h"
#include "runtime/device.h"
#include "train/balance.h"
#include "train/checkpoint.h"
#include "train/cross_validation.h"
#include "train/device_decoder.h"
#include "train/fine_tuner.h"
#include "train/inference.h"
#include "train/label_sets.h"
#include "train/photo_rows.h"
#include "train/reporter.h"
#include "train/row_targets.h"
#include "train/run_setup.h"
#include "train/trial.h"
#include "train/tuner_team.h"

namespace fovea::training {

class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, TrainObserver* observer);
  /// On this data set instead of what options.data holds.
  TrainingRun(const TrainOptions& options, TrainObserver* observer, Dataset data) : TrainingRun(options, observer) {
    given_ = std::move(data);
  }
  /// With these instead of those that options.device names: at least one.
  TrainingRun(const TrainOptions& options, TrainObserver* observer, std::vector<Device> devices)
      : TrainingRun(options, observer) {
    given_devices_ = std::move(devices);
  }
  Result<TrainReport> run();

 private:
  /// A fine-tuning under way.
  struct Tuning {
    std::string stage;
    int epochs = 0;
    int epoch = 1;     ///< that runs
    EpochResult done;  ///< of it
  };
  struct Validation {
    double accuracy = 0;
    double loss = 0;
    LabelledTable logits;
  };
  /// What temperature and thresholds of independent labels are fitted to.
  struct FittingRows {
    const LabelledTable* logits;  ///< null: nothing
    std::span<const Sample> samples;
    std::string what;  ///< for people
  };

  // training_run.cpp
  Result<void> run_to_the_end();
  Result<void> prepare();
  Result<void> choose_decoder();
  Result<void> scan();
  Result<void> stages();
  Result<void> finish();
  Result<Validation> validate(Inference& logits);
  /// Takes the weights over into the model, and writes it, if they are better than what there is.
  Result<bool> keep_if_better(Validation validation, std::span<const float> weights, std::string_view stage);

  // closing_stage.cpp
  /// Calibration, rejection and the figures of the final weights.
  Result<void> close();
  void calibrate();
  Result<void> learn_rejection();
  /// Keeps the training photos' features for rejection, if the backbone stays as it is.
  void remember_features(const LabelledTable& table);
  Result<LabelledTable> features_of_known();
  Result<LabelledTable> run_none();
  Result<void> test();
  void state_accuracy();
  /// Marks of the photos that made the model, so that later figures on them can say so.
  void remember_photos();

  // label_set_stage.cpp
  /// Temperature and thresholds come from training photos that last layers of the other folds judged: validation photos had no
  /// part in them.
  [[nodiscard]] bool fitted_apart() const;
  [[nodiscard]] FittingRows fitting_rows() const;
  /// `accuracy` is then the mean average precision.
  [[nodiscard]] Validation judge_label_sets(LabelledTable logits, std::span<const Sample> samples) const;
  /// The model's temperature and thresholds.
  void fit_label_sets();
  void calibrate_label_sets();
  void test_label_sets(const LabelledTable& logits);
  /// To the validation photos, by thresholds that were not fitted to the same photo.
  [[nodiscard]] std::vector<std::uint8_t> honest_answers(const LabelSetPredictions& predictions) const;
  void state_label_sets();

  // head_stage.cpp
  /// Sets the model's preprocessing; gives the features that are known from trying.
  /// `usual`, if not null: the features of all training photos as the first candidate fits them.
  Result<LabelledTable> choose_fit(Inference& features, const LabelledTable* usual = nullptr);
  /// A larger input where that is clearly better: then the model's size, `features` and what is given back are those of it.
  /// `usual`: the features that are known as the model is.
  Result<LabelledTable> choose_size(Inference& features, LabelledTable usual);
  [[nodiscard]] std::int64_t fitting_photos() const;  ///< that fits and sizes are tried on
  /// Of all training photos, fitted as the model says; those in `known` are there already.
  Result<LabelledTable> features_of_training(Inference& features, LabelledTable known, const std::string& stage);
  /// Tells of classes that unreadable photos have left without a training photo; kFormat where fewer than two are left.
  Result<void> check_classes_read(const LabelledTable& table);
  /// What a last layer is fitted to; `table` must outlive it.
  struct HeadData {
    RowTargets targets;
    FeatureSet set;
    std::vector<float> weights;  ///< per row
    std::vector<int> groups;     ///< per row: near-duplicates
  };
  [[nodiscard]] HeadData head_data(const LabelledTable& table) const;
  /// The exact last layer into the model, which is saved.
  Result<FittedHead> fit_last_layer(const LabelledTable& table);
  Result<void> head_stage();

  // fold_stage.cpp
  void head_folds(const FeatureSet& set, std::span<const float> row_weights, std::span<const std::int32_t> groups);
  /// The whole recipe for each fold, where that is asked for.
  Result<void> fold_runs();

  // trial_stage.cpp
  /// How to fine-tune; nothing where it does not pay.
  Result<std::optional<TuningWay>> choose_way(const LoaderOptions& loading, PhotoSource& source);
  Result<WayChoice> try_ways(std::span<const TuningWay> ways, const LoaderOptions& loading, PhotoSource& source);
  [[nodiscard]] bool time_for(double seconds) const;

  // tuning_stage.cpp
  Result<void> tail_stage();
  Result<void> full_stage();
  Result<void> conv_head_stage();
  Result<void> cached_stage(std::string_view name, int cut_stage, double default_lr, int default_epochs);
  /// A source for each device that takes part, the first of them device_.
  Result<void> tune(std::string_view stage, FineTuneOptions tuning, std::span<BatchSource* const> sources, int epochs);
  Result<EpochResult> run_epoch(TunerTeam& team, std::span<BatchSource* const> sources, Tuning& tuning);
  /// Once, that memory was short.
  void tell_split(const FineTuner& tuner);
  void tell_overflows(const EpochReport& epoch, const EpochResult& done);
  Result<void> judge_epoch(FineTuner& tuner, Inference& logits, const Tuning& tuning);
  /// How many photos the device decoded, and which it did not.
  void tell_decoding();
  /// What fine-tuning waited for, and what to do about it; `cache_trouble` as of PhotoCache.
  void tell_utilisation(const std::string& cache_trouble);
  std::optional<double> best_accuracy_of(std::string_view stage);
  [[nodiscard]] FineTuneOptions tuning_options(const TuningWay& way) const;
  /// Order, targets, weights and augmentation of the batches.
  [[nodiscard]] LoaderOptions loading_options(int batch) const;
  [[nodiscard]] int tuning_batch() const;
  [[nodiscard]] PlannedEpochs planned_epochs() const;
  [[nodiscard]] std::int64_t photos_shown() const;  ///< to the network, over all planned epochs
  [[nodiscard]] int affordable_epochs(double seconds_per_epoch, int wanted);

  /// Whether the figures are to be of photos that the weights knew before.
  void compare_with_before();

  // saving.cpp
  /// A model that a finished run has left under the same name stays, as MODEL.old.
  Result<void> keep_earlier_model();
  /// The best model so far. After the first one, what cannot be written (a full disk, a share that is away) is told and does not
  /// end the run: the next better one, or the last, is written again.
  Result<void> save_so_far();
  /// The finished model; where that fails it is put among the system's temporary files rather than lost, and the error says so.
  Result<void> save_in_the_end();

  // run_report.cpp
  /// Of the validation photos, by the final model.
  [[nodiscard]] Evaluation evaluation_of_classes() const;
  [[nodiscard]] Evaluation evaluation_of_label_sets() const;
  Result<report::Input> report_of_run();
  /// Beside the model; a warning if that fails.
  void write_report();

  // resume.cpp
  Result<void> open_checkpoint();
  /// A row for each readable photo, some of them perhaps computed before an interruption.
  Result<LabelledTable> resumable_rows(const std::string& name, Inference& inference, std::span<const std::int32_t> positions);
  void keep_rows(const std::string& name, const LabelledTable& rows, std::size_t photos);
  void keep_way(const WayChoice& choice);
  [[nodiscard]] Result<std::optional<WayChoice>> recall_way() const;
  void keep_tuning(FineTuner& tuner, const Tuning& tuning);
  /// Whether there was a tuning of this name to go on with.
  Result<bool> recall_tuning(FineTuner& tuner, Tuning& tuning);
  void keep(const std::string& name, std::span<const StoredTensor> tensors, const std::string& state);

  TrainOptions options_;
  Reporter reporter_;
  Context context_;
  Device device_;
  std::vector<Device> more_devices_;        ///< that fine-tune with it
  std::unique_ptr<DeviceDecoder> decoder_;  ///< of the photos that fine-tuning varies; null: the host
  bool split_told_ = false;
  graph::Precision precision_ = graph::Precision::kF32;  ///< of fine-tuning
  RunPaths paths_;
  Checkpoint checkpoint_;
  std::optional<Dataset> given_;
  std::vector<Device> given_devices_;
  Dataset data_;
  BalancePlan balance_;
  Model model_;                       ///< the best so far
  std::optional<SeenPhotos> before_;  ///< photos that had shaped the weights that training begins with
  std::optional<PhotoRows> train_rows_;
  std::optional<PhotoRows> val_rows_;
  std::optional<Validation> best_;
  std::string best_stage_;
  TrialPhotos trial_photos_;
  double strength_ = 0;                      ///< of the last layer's regularisation
  std::optional<LabelledTable> known_;       ///< features of training photos by the backbone as it came
  std::optional<double> held_out_accuracy_;  ///< of the last layer, by cross-validation
  LabelledTable held_out_;                   ///< with any number of labels: the logits behind that
  bool stopped_ = false;
  bool replaying_ = false;          ///< what was done before an interruption is gone through again
  bool checkpoint_failed_ = false;  ///< and this was said
  bool model_saved_ = false;
  bool saving_failed_ = false;  ///< and this was said
};

}  // namespace fovea::training
