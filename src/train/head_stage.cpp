// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "data/row.h"
#include "train/fit_choice.h"
#include "train/row_targets.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

constexpr int kFolds = 5;

}  // namespace

std::int64_t TrainingRun::fitting_photos() const { return fit_trial_size(static_cast<std::int64_t>(data_.train.size())); }

Result<LabelledTable> TrainingRun::choose_fit(Inference& features, const LabelledTable* usual) {
  const std::vector<Preprocess> candidates = fit_candidates(options_, model_.preprocess);
  model_.preprocess = candidates.front();
  if (candidates.size() == 1) return LabelledTable{};
  reporter_.begin_stage("fit", fitting_photos() * (static_cast<std::int64_t>(candidates.size()) - (usual != nullptr ? 1 : 0)));
  FOVEA_ASSIGN(auto trials, try_fits(context_, data_.train, data_.class_count(), candidates, fitting_photos(), features,
                                     reporter_, options_.strict, options_.seed, usual, data_.multi_label));
  const std::size_t best = best_fit(trials);
  model_.preprocess = trials[best].preprocess;
  reporter_.end_stage();
  std::string reason = "cross-validated on part of the training photos:";
  for (const FitTrial& trial : trials) {
    reason += fmt::format("{} {} {}", &trial == &trials.front() ? "" : ";", describe(trial.preprocess), describe(trial.held_out));
  }
  reporter_.choice({"fit", describe(model_.preprocess), reason});
  return std::move(trials[best].features);
}

Result<LabelledTable> TrainingRun::choose_size(Inference& features, LabelledTable usual) {
  if (options_.size) return usual;
  const Preprocess larger = with_larger_input(model_.preprocess);
  NetworkSpec spec = model_.spec;
  spec.height = larger.height;
  spec.width = larger.width;
  FOVEA_ASSIGN(Inference at_larger, Inference::create(context_, *device_.backend, spec, model_.parameters, "features"));
  reporter_.begin_stage("size", fitting_photos());
  FOVEA_ASSIGN(auto trials,
               try_fits(context_, data_.train, data_.class_count(), std::array{model_.preprocess, larger}, fitting_photos(),
                        at_larger, reporter_, options_.strict, options_.seed, &usual, data_.multi_label));
  reporter_.end_stage();
  const bool pays = best_fit(trials) == 1;
  reporter_.choice({"size", std::to_string(pays ? larger.width : model_.preprocess.width),
                    fmt::format("cross-validated on part of the training photos: {} {}; {} {}", model_.preprocess.width,
                                describe(trials[0].held_out), larger.width, describe(trials[1].held_out))});
  if (!pays) return usual;
  model_.spec = spec;
  model_.preprocess = larger;
  features = std::move(at_larger);
  return std::move(trials[1].features);
}

Result<LabelledTable> TrainingRun::features_of_training(Inference& features, LabelledTable table, const std::string& stage) {
  train_rows_.emplace(context_, data_.train, model_.preprocess, options_.strict);
  val_rows_.emplace(context_, data_.val, model_.preprocess, options_.strict);
  std::vector<bool> known(data_.train.size(), false);
  for (const std::int32_t position : table.index) known[static_cast<std::size_t>(position)] = true;
  std::vector<std::int32_t> rest;
  for (std::size_t n = 0; n < known.size(); ++n) {
    if (!known[n]) rest.push_back(static_cast<std::int32_t>(n));
  }
  reporter_.begin_stage("features", static_cast<std::int64_t>(rest.size()));
  FOVEA_ASSIGN(LabelledTable others, resumable_rows(stage, features, rest));
  reporter_.end_stage();
  table.append(std::move(others));
  if (table.labels.empty()) return fail(Error::Kind::kFormat, "{}: no training photo could be read", options_.data.string());
  return table;
}

Result<void> TrainingRun::check_classes_read(const LabelledTable& table) {
  std::vector<Sample> read;
  for (const std::int32_t position : table.index) read.push_back(data_.train[static_cast<std::size_t>(position)]);
  const auto expected = count_per_class(data_.train, data_.class_count());
  const auto found = count_per_class(read, data_.class_count());
  std::size_t left = 0;
  std::vector<std::string> lost;
  for (std::size_t k = 0; k < found.size(); ++k) {
    if (found[k] > 0) ++left;
    if (expected[k] > 0 && found[k] == 0) lost.push_back(data_.classes[k]);
  }
  if (lost.empty()) return {};
  const std::string what =
      fmt::format("{}: not one training photo of {} could be read", options_.data.string(), fmt::join(lost, ", "));
  if (left < 2 && !data_.multi_label) return fail(Error::Kind::kFormat, "{}, and at least two classes are needed", what);
  reporter_.warning(what + ": the model will never see it right");
  return {};
}

TrainingRun::HeadData TrainingRun::head_data(const LabelledTable& table) const {
  LoaderOptions weighing;
  weighing.class_weights = balance_.head_weights;
  HeadData data{row_targets(table.index, data_.train, data_.class_count(), data_.multi_label), {}, {}, {}};
  data.set = data.targets.of(table.table);
  for (const std::int32_t sample : table.index)
    data.weights.push_back(weight_of(data_.train[static_cast<std::size_t>(sample)], weighing));
  // Copies of a photo on both sides of a fold would make weak regularisation look good.
  data.groups = group_near_duplicates(table.fingerprints);
  return data;
}

Result<FittedHead> TrainingRun::fit_last_layer(const LabelledTable& table) {
  const HeadData data = head_data(table);
  reporter_.working("last layer");
  FittedHead fitted =
      fit_head(context_, data.set, data.weights, stratified_folds(data.set.labels, data.groups, kFolds, options_.seed));
  if (context_.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  strength_ = fitted.search.chosen().strength;
  held_out_accuracy_ = fitted.search.chosen().held_out.accuracy;
  set_head(model_.spec, fitted.head, model_.parameters);
  best_stage_ = "head";
  if (data_.multi_label) {
    held_out_ = {};
    held_out_.table = {data_.class_count(), fitted.held_out_logits};
    held_out_.index = table.index;
    held_out_accuracy_ = judge_label_sets(held_out_, data_.train).accuracy;
    fit_label_sets();
  }
  if (!replaying_) FOVEA_TRY(save_so_far());
  return fitted;
}

Result<void> TrainingRun::head_stage() {
  FOVEA_ASSIGN(Inference features, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, "features"));
  // The crop that backbones are trained with comes first: a model exists before anything else is tried.
  model_.preprocess = fit_candidates(options_, model_.preprocess).front();
  FOVEA_ASSIGN(LabelledTable table, features_of_training(features, {}, "features"));
  FOVEA_TRY(check_classes_read(table));
  FOVEA_ASSIGN(FittedHead fitted, fit_last_layer(table));
  reporter_.first_model(
      {paths_.model, *held_out_accuracy_, fitted.folds_tried(), static_cast<std::int64_t>(table.labels.size())});

  const Preprocess usual = model_.preprocess;
  const NetworkSpec usual_spec = model_.spec;
  const auto try_other_fits = [&]() -> Result<void> {
    FOVEA_ASSIGN(LabelledTable known, choose_fit(features, &table));
    FOVEA_ASSIGN(known, choose_size(features, model_.preprocess == usual ? table : std::move(known)));
    if (model_.preprocess == usual) return {};
    FOVEA_ASSIGN(table, features_of_training(features, std::move(known), "features-fitted"));
    FOVEA_ASSIGN(fitted, fit_last_layer(table));
    return {};
  };
  if (const Result<void> tried = try_other_fits(); !tried) {
    model_.preprocess = usual;  // those of the last layer there is
    model_.spec = usual_spec;
    return tried.error();
  }
  reporter_.begin_stage("head", val_rows_->size());
  reporter_.choice({"regularisation", fmt::format("{:.1g}", fitted.search.chosen().strength),
                    fmt::format("{:.1f} % {} in {} on the training photos", 100 * *held_out_accuracy_,
                                data_.multi_label ? "mean average precision" : "right", fitted.folds_tried().describe())});
  const HeadData data = head_data(table);
  trial_photos_ = choose_trial_photos(context_, data.set, data.groups, table.index, trial_size(photos_shown()), options_.seed);
  head_folds(data.set, data.weights, data.groups);
  if (!data_.multi_label) remember_features(table);

  FOVEA_ASSIGN(Inference logits, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, "logits", true));
  Validation validation{*held_out_accuracy_, fitted.search.chosen().held_out.loss, {}};
  if (!data_.val.empty()) {
    FOVEA_ASSIGN(validation, validate(logits));
  }
  const double accuracy = validation.accuracy;
  FOVEA_TRY(keep_if_better(std::move(validation),
                           std::vector<float>(model_.parameters.all().begin(), model_.parameters.all().end()), "head"));
  reporter_.end_stage(data_.val.empty() ? std::nullopt : std::optional(accuracy));
  return {};
}

}  // namespace fovea::training
