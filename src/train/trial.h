// Fovea: ways of fine-tuning, tried on part of the training photos and judged by photos that were kept out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "core/context.h"
#include "data/loader.h"
#include "model/model_file.h"
#include "train/fine_tuner.h"
#include "train/head_regression.h"
#include "train/recipe.h"
#include "train/reporter.h"

namespace fovea::training {

/// Photos that take part in a trial: one in kTrialParts is held out, near-duplicates never on both sides.
struct TrialPhotos {
  std::vector<std::int32_t> positions;  ///< in the list of training samples, ascending
  std::vector<bool> held_out;           ///< per position
};
inline constexpr int kTrialParts = 3;
inline constexpr int kTrialSide = 128;             ///< of the pictures, at most
inline constexpr int kTrialBatch = 16;             ///< enough steps in one epoch
inline constexpr std::size_t kFewestHeldOut = 30;  ///< photos that can tell anything

/// Passes over the photos of a trial, for a run of so many. A short run says that a rate does harm which the long one profits
/// from: a step away from the exact last layer first loses.
[[nodiscard]] constexpr int trial_epochs(int planned) { return std::clamp(planned, 2, 8); }

/// One in how many of `rows` takes part, so that they are at most about `most`.
[[nodiscard]] constexpr int trial_share(std::int64_t rows, std::int64_t most) {
  return static_cast<int>(rows <= most ? 1 : (rows + most - 1) / most);
}

/// At most about `most` of the rows of `set`, spread evenly over the classes; what is held out looks unlike the rest of its
/// class. `duplicates` (a group number) and `index` (position in the list of samples) are given per row. Nothing if the rows are
/// too few to tell ways apart.
[[nodiscard]] TrialPhotos choose_trial_photos(const Context& context, const FeatureSet& set,
                                              std::span<const std::int32_t> duplicates, std::span<const std::int32_t> index,
                                              std::int64_t most, std::uint64_t seed);

/// Everything that ways have in common. What is referred to must outlive the trial.
struct TrialSetting {
  const Backend& backend;
  const TrainOptions& options;
  const Model& model;  ///< pretrained backbone; its last layer is not looked at
  std::span<const Sample> samples;
  const TrialPhotos& photos;
  double strength = 0;  ///< of the last layer's regularisation
  int epochs = 2;       ///< of each way
  LoaderOptions loading;
  FineTuneOptions tuning;
};

/// Runs on small pictures, which costs a third: ways compare much as they do at full size.
class TuningTrial {
 public:
  /// Solves the last layer on the photos that are not held out.
  static Result<TuningTrial> prepare(const Context& context, const TrialSetting& setting, PhotoSource& source,
                                     Reporter& reporter);

  /// The score of the last layer alone.
  [[nodiscard]] const TrialScore& untuned() const { return untuned_; }
  /// Fine-tunes by a whole schedule.
  Result<TrialScore> run(const TuningWay& way, PhotoSource& source, Reporter& reporter);

 private:
  TuningTrial(const Context& context, const TrialSetting& setting) : context_(context), setting_(setting) {}
  Result<TrialScore> score(ParameterSet& parameters, PhotoSource& source, Reporter& reporter) const;

  Context context_;
  TrialSetting setting_;
  NetworkSpec spec_;
  Preprocess preprocess_;
  ParameterSet start_;
  std::vector<Sample> inside_;
  std::vector<Sample> outside_;
  TrialScore untuned_;
};

}  // namespace fovea::training
