// Fovea: what fine-tuning is to be like, decided from the size of the data, what the last layer leaves to gain, and trials.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/augment.h"
#include "fovea/trainer.h"
#include "model/network.h"

namespace fovea::training {

/// How far, and how freely, fine-tuning moves the network.
struct TuningWay {
  double rate = 5e-4;  ///< peak, of AdamW
  NormMode norm = NormMode::kFrozen;
};

/// "rate 5e-04, BatchNorm frozen"
[[nodiscard]] std::string describe(const TuningWay& way);

/// What is worth trying where the options leave it open, the usual choice first, for a run that shows the network so many photos.
/// From random weights there is one.
[[nodiscard]] std::vector<TuningWay> tuning_ways(const TrainOptions& options, std::int64_t photos_shown);

/// What is left to try where the usual way does harm; nothing where the rate was asked for. Not compared with the usual way: a
/// trial is shorter than the run, and in a short run small steps always look better than they are.
[[nodiscard]] std::optional<TuningWay> gentler_way(const TrainOptions& options, const TuningWay& usual);

/// Whether there is anything that a trial could decide.
[[nodiscard]] bool trial_decides(const TrainOptions& options, std::span<const TuningWay> ways);

/// Of layers that train on cached activations: statistics as asked for, frozen where that is left open.
[[nodiscard]] TuningWay cached_way(const TrainOptions& options, double rate);

/// The rate that was asked for, or the way's; SGD's steps are as long as its gradients, AdamW's as its rate: a factor of about 30
/// makes them alike.
[[nodiscard]] double peak_rate(const TrainOptions& options, const TuningWay& way);

/// Photos of a step, of a training set of so many.
[[nodiscard]] int tuning_batch_of(const TrainOptions& options, std::int64_t photos);

/// How strongly the training photos are varied.
struct PlannedAugment {
  AugmentLevel level = AugmentLevel::kStandard;
  std::string reason;
};
/// What was asked for, or what suits so many passes over the photos: the more often a photo comes back, the less it may look
/// the same.
[[nodiscard]] PlannedAugment planned_augment_of(const TrainOptions& options, int epochs);

/// The variations of that strength, with the mixing of photos that was asked for.
[[nodiscard]] AugmentPolicy policy_of(const TrainOptions& options, AugmentLevel level);
[[nodiscard]] std::string_view name_of(AugmentLevel level);  ///< as --augment calls it

/// Decay of a weight average over about a tenth of a run of so many steps: longer ones lag behind in a run of few epochs.
[[nodiscard]] double average_decay(std::int64_t steps);

/// How one way, or none, did on photos that were kept out.
struct TrialScore {
  std::vector<double> losses;  ///< per held-out photo, of calibrated probabilities
  double accuracy = 0;
  [[nodiscard]] double loss() const;
};

/// The mean of a's losses less b's, and its standard error from the photos they share.
struct PairedDifference {
  double mean = 0;
  double standard_error = 0;
};
[[nodiscard]] PairedDifference paired_difference(const TrialScore& a, const TrialScore& b);

/// Which way to go: the usual one, the first, unless another is better by more than three standard errors.
[[nodiscard]] std::size_t best_way(std::span<const TrialScore> tried);

/// Of so many training photos, those on which fits are compared: a quarter is enough to see differences that matter.
[[nodiscard]] std::int64_t fit_trial_size(std::int64_t photos);

/// Of so many training photos, those whose features rejection learns from: more tell nothing new about the covariance of 64
/// directions.
[[nodiscard]] std::int64_t rejection_size(std::int64_t photos);

/// Photos for a trial of ways, training and judging together, so that it costs about an eighth of the run.
[[nodiscard]] std::int64_t trial_size(std::int64_t photos_shown);

/// Whether fine-tuning pays: not where its loss is larger than without by more than a standard error.
[[nodiscard]] bool tuning_pays(const TrialScore& untuned, const TrialScore& tuned);

/// What was decided about fine-tuning, and why.
struct WayChoice {
  std::optional<TuningWay> way;  ///< nothing where it does not pay
  std::string reason;
};

struct PlannedEpochs {
  int epochs = 1;
  std::string reason;
};
/// Passes over so many training photos of so many classes.
[[nodiscard]] PlannedEpochs plan_epochs(std::int64_t photos, int classes, bool pretrained);

/// Those that were asked for, or plan_epochs'.
[[nodiscard]] PlannedEpochs planned_epochs_of(const TrainOptions& options, std::int64_t photos, int classes);

}  // namespace fovea::training
