// SPDX-License-Identifier: Apache-2.0
#include "train/trial.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "train/cross_validation.h"
#include "train/device_batches.h"
#include "train/label_sets.h"
#include "train/look_alikes.h"
#include "train/photo_rows.h"
#include "train/row_targets.h"
#include "train/run_setup.h"
#include "train/trial_score.h"

namespace fovea::training {
namespace {

constexpr std::size_t kSeries = 5;  // photos that are held out together
constexpr double kWarmUp = 0.15;

std::vector<Sample> pick(std::span<const Sample> samples, const TrialPhotos& photos, bool held_out) {
  std::vector<Sample> result;
  for (std::size_t i = 0; i < photos.positions.size(); ++i) {
    if (photos.held_out[i] == held_out) result.push_back(samples[static_cast<std::size_t>(photos.positions[i])]);
  }
  return result;
}

}  // namespace

TrialPhotos choose_trial_photos(const Context& context, const FeatureSet& set, std::span<const std::int32_t> duplicates,
                                std::span<const std::int32_t> index, std::int64_t most, std::uint64_t seed) {
  // Folds are spread over the classes, so one of them is a sample that is too.
  const auto part_of_row = stratified_folds(set.labels, duplicates, trial_share(set.rows(), most), seed);
  struct Row {
    std::int32_t position;
    std::size_t number;
  };
  std::vector<Row> rows;
  for (std::size_t n = 0; n < part_of_row.size(); ++n) {
    if (part_of_row[n] == 0) rows.push_back({index[n], n});
  }
  std::ranges::sort(rows, {}, &Row::position);
  const auto width = static_cast<std::size_t>(set.width);
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<std::int32_t> copies;
  for (const Row& row : rows) {
    const auto from = set.features.subspan(row.number * width, width);
    features.insert(features.end(), from.begin(), from.end());
    labels.push_back(set.labels[row.number]);
    if (!duplicates.empty()) copies.push_back(duplicates[row.number]);
  }
  const auto series = group_look_alikes(context, {features, labels, set.width, set.classes}, copies, kSeries, 2 * kTrialParts);
  const auto folds = stratified_folds(labels, series, kTrialParts, seed);
  TrialPhotos photos;
  if (static_cast<std::size_t>(std::ranges::count(folds, 0)) < kFewestHeldOut) return photos;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    photos.positions.push_back(rows[i].position);
    photos.held_out.push_back(folds[i] == 0);
  }
  return photos;
}

Result<TuningTrial> TuningTrial::prepare(const Context& context, const TrialSetting& setting, PhotoSource& source,
                                         Reporter& reporter) {
  TuningTrial trial(context, setting);
  const Model& model = setting.model;
  trial.spec_ = model.spec;
  trial.spec_.height = std::min(model.spec.height, kTrialSide);
  trial.spec_.width = std::min(model.spec.width, kTrialSide);
  trial.preprocess_ = model.preprocess;
  trial.preprocess_.height = trial.spec_.height;
  trial.preprocess_.width = trial.spec_.width;
  trial.inside_ = pick(setting.samples, setting.photos, false);
  trial.outside_ = pick(setting.samples, setting.photos, true);
  FOVEA_ASSIGN(trial.start_, copy_parameters(trial.spec_, model.parameters));

  FOVEA_ASSIGN(Inference features, Inference::create(context, setting.backend, trial.spec_, trial.start_, "features"));
  const PhotoRows photos(context, trial.inside_, trial.preprocess_, setting.loading.strict);
  std::vector<std::int32_t> all(trial.inside_.size());
  std::iota(all.begin(), all.end(), 0);
  FOVEA_ASSIGN(const LabelledTable rows, photos.run_some(features, all, reporter, &source));
  if (rows.labels.empty()) return fail(Error::Kind::kFormat, "no photo of the trial could be read");
  const RowTargets truth = row_targets(rows.index, trial.inside_, setting.loading.classes, setting.loading.multi_label);
  const auto regression = make_regression(context, truth.of(rows.table));
  HeadRegression::Weights weights = regression->zero();
  const std::vector<float> ones(rows.labels.size(), 1.0F);
  (void)regression->solve(ones, setting.strength, {}, weights);
  set_head(trial.spec_, regression->head(weights), trial.start_);
  FOVEA_ASSIGN(trial.untuned_, trial.score(trial.start_, source, reporter));
  return trial;
}

Result<TrialScore> TuningTrial::score(ParameterSet& parameters, PhotoSource& source, Reporter& reporter) const {
  FOVEA_ASSIGN(Inference logits, Inference::create(context_, setting_.backend, spec_, parameters, "logits"));
  const PhotoRows photos(context_, outside_, preprocess_, setting_.loading.strict);
  std::vector<std::int32_t> all(outside_.size());
  std::iota(all.begin(), all.end(), 0);
  FOVEA_ASSIGN(LabelledTable rows, photos.run_some(logits, all, reporter, &source));
  if (!setting_.loading.multi_label) return score_of_classes(std::move(rows.table), rows.labels);
  return score_of_label_sets(rows.table, targets_of(rows.index, outside_, setting_.loading.classes));
}

Result<TrialScore> TuningTrial::run(const TuningWay& way, PhotoSource& source, Reporter& reporter) {
  LoaderOptions loading = setting_.loading;
  loading.preprocess = preprocess_;
  loading.batch = std::min(kTrialBatch, static_cast<int>(inside_.size()));
  FOVEA_ASSIGN(const auto batches, make_photo_batches(context_, setting_.backend, inside_, source, loading));
  FineTuneOptions tuning = setting_.tuning;
  tuning.norm = way.norm;
  tuning.batch = loading.batch;
  const std::int64_t steps = batches->batches_per_epoch() * setting_.epochs;
  const auto warm_up = static_cast<std::int64_t>(kWarmUp * static_cast<double>(steps));
  tuning.schedule = {.peak = peak_rate(setting_.options, way), .steps = steps, .warmup = std::max<std::int64_t>(1, warm_up)};
  tuning.ema_decay = average_decay(steps);
  FOVEA_ASSIGN(ParameterSet tuned, copy_parameters(spec_, start_));
  FOVEA_ASSIGN(FineTuner tuner, FineTuner::create(context_, setting_.backend, spec_, tuned, tuning));
  for (std::uint32_t epoch = 1; epoch <= static_cast<std::uint32_t>(setting_.epochs); ++epoch) {
    std::int64_t told = 0;
    FOVEA_ASSIGN(const auto result, tuner.run_epoch(*batches, epoch, [&](const EpochResult& done) -> Result<bool> {
      reporter.advance(done.photos - std::exchange(told, done.photos));
      return true;
    }));
    if (!result.finished) return fail(Error::Kind::kCancelled, "stopped on request");
  }
  const std::vector<float> averaged(tuner.result().begin(), tuner.result().end());
  std::ranges::copy(averaged, tuned.all().begin());
  return score(tuned, source, reporter);
}

}  // namespace fovea::training
