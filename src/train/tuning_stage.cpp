// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/cache.h"
#include "train/fit_choice.h"
#include "train/training_run.h"

namespace fovea::training {
namespace {

AugmentPolicy policy_of(const TrainOptions& options) {
  AugmentPolicy policy;
  switch (options.augment.value_or(AugmentLevel::kStandard)) {
    case AugmentLevel::kNone: policy = augment_policy(AugmentStrength::kNone); break;
    case AugmentLevel::kLight: policy = augment_policy(AugmentStrength::kLight); break;
    case AugmentLevel::kStandard: policy = augment_policy(AugmentStrength::kMedium); break;
    case AugmentLevel::kStrong: policy = augment_policy(AugmentStrength::kStrong); break;
  }
  if (options.mixup > 0) policy.mixup = static_cast<float>(options.mixup);
  if (options.cutmix > 0) policy.cutmix = static_cast<float>(options.cutmix);
  return policy;
}

/// The first stage whose output is as small as the backbone's end: what follows is cheap and is where classes part.
Result<int> tail_cut(const NetworkSpec& spec, std::int64_t photos) {
  constexpr double kMostBytes = 2e9;
  FOVEA_ASSIGN(const graph::Graph graph, build_network(spec));
  std::vector<Shape> shapes;
  while (const auto value = graph.output("stage/" + std::to_string(shapes.size()))) shapes.push_back(graph.shape(*value));
  std::size_t cut = shapes.size() - 1;
  while (cut > 0 && shapes[cut - 1][1] == shapes.back()[1] && shapes[cut - 1][2] == shapes.back()[2] &&
         static_cast<double>(shapes[cut - 1].elements()) * 4 * static_cast<double>(photos) <= kMostBytes) {
    --cut;
  }
  return static_cast<int>(cut);
}

}  // namespace

FineTuneOptions TrainingRun::tuning_options(double default_lr) const {
  FineTuneOptions tuning;
  const bool live =
      options_.batchnorm == BatchNormMode::kLive || (options_.batchnorm == BatchNormMode::kAuto && !options_.pretrained);
  tuning.norm = live ? NormMode::kLive : NormMode::kFrozen;
  tuning.batch =
      static_cast<int>(std::min<std::int64_t>(options_.batch.value_or(32), static_cast<std::int64_t>(data_.train.size())));
  const bool sgd = options_.optimizer == OptimizerKind::kSgd;
  tuning.optimizer.kind = sgd ? OptimizerOptions::Kind::kSgd : OptimizerOptions::Kind::kAdamW;
  tuning.optimizer.momentum = options_.momentum;
  tuning.optimizer.nesterov = sgd && options_.momentum > 0;
  tuning.optimizer.weight_decay = options_.weight_decay.value_or(sgd ? 1e-4 : 0.02);
  // SGD's steps are as long as its gradients, AdamW's as its rate: a factor of about 30 makes them alike.
  tuning.schedule.peak = options_.lr.value_or(sgd ? 30 * default_lr : default_lr);
  tuning.clip_norm = options_.clip_norm;
  tuning.seed = options_.seed;
  return tuning;
}

int TrainingRun::affordable_epochs(double seconds_per_epoch, int wanted) {
  constexpr double kDefaultBudget = 600;  // seconds that --scope auto may take without being asked
  if (!options_.time_budget_s && (options_.scope != Scope::kAuto || options_.epochs)) return wanted;
  const double left = options_.time_budget_s.value_or(kDefaultBudget) - reporter_.seconds();
  const int possible = static_cast<int>(std::clamp(left / seconds_per_epoch, 0.0, static_cast<double>(wanted)));
  if (possible < wanted) {
    reporter_.choice({"epochs", std::to_string(possible),
                      fmt::format("of {}: an epoch takes about {:.0f} s here, and {:.0f} s are left", wanted, seconds_per_epoch,
                                  std::max(0.0, left))});
  }
  return possible;
}

Result<void> TrainingRun::tune(std::string_view stage, FineTuneOptions tuning, BatchSource& source, int epochs) {
  const std::int64_t steps = source.batches_per_epoch();
  // An average over about one epoch.
  tuning.ema_decay = options_.ema_decay.value_or(1 - 1 / static_cast<double>(std::max<std::int64_t>(10, steps)));
  FOVEA_ASSIGN(ParameterSet trained, copy_parameters(model_.spec, model_.parameters));
  FOVEA_ASSIGN(ParameterSet candidate, copy_parameters(model_.spec, model_.parameters));
  FOVEA_ASSIGN(FineTuner tuner, FineTuner::create(context_, *device_.backend, model_.spec, trained, tuning));
  const double seconds_per_epoch = tuner.measure_step() * static_cast<double>(steps);
  epochs = affordable_epochs(seconds_per_epoch, epochs);
  if (epochs == 0) return {};
  tuning.schedule.steps = steps * epochs;
  tuning.schedule.warmup = std::max<std::int64_t>(1, tuning.schedule.steps * 15 / 100);
  tuner.set_schedule(tuning.schedule);
  FOVEA_ASSIGN(Inference logits, Inference::create(context_, *device_.backend, model_.spec, candidate, "logits"));
  const auto photos_per_epoch = static_cast<std::int64_t>(data_.train.size() + data_.val.size());
  reporter_.begin_stage(stage, photos_per_epoch * epochs);
  double stage_accuracy = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    FOVEA_ASSIGN(const auto result, tuner.run_epoch(source, static_cast<std::uint32_t>(epoch), [&](std::int64_t photos) {
      reporter_.advance(photos);
      return !context_.stop_requested();
    }));
    const double waited = source.waiting_share();
    reporter_.skipped(source.skipped());
    if (!result.finished) return fail(Error::Kind::kCancelled, "stopped on request");
    std::ranges::copy(tuner.result(), candidate.all().begin());
    logits.refresh();
    Validation validation;
    if (!data_.val.empty()) {
      FOVEA_ASSIGN(validation, validate(logits));
    }
    const double val_loss = validation.loss;
    const double val_accuracy = validation.accuracy;
    FOVEA_ASSIGN(const bool best, keep_if_better(std::move(validation), tuner.result(), stage));
    stage_accuracy = std::max(stage_accuracy, val_accuracy);
    const double speed = result.seconds > 0 ? static_cast<double>(result.photos) / result.seconds : 0;
    reporter_.epoch({std::string(stage), epoch, epochs, result.loss, val_loss, val_accuracy, result.lr, speed, waited, best});
    if (!std::isfinite(result.loss)) {
      reporter_.warning(fmt::format("the loss is no longer a number: a lower rate than {:.2g} may help; keeping the best so far",
                                    tuning.schedule.peak));
      break;
    }
    const bool out_of_time = options_.time_budget_s && reporter_.seconds() + seconds_per_epoch / 2 > *options_.time_budget_s;
    if (out_of_time && epoch < epochs) {
      stopped_ = true;
      break;
    }
  }
  reporter_.end_stage(data_.val.empty() ? std::nullopt : std::optional(stage_accuracy));
  return {};
}

Result<void> TrainingRun::full_stage() {
  if (!train_rows_) {
    if (options_.fit != FitChoice::kAuto) model_.preprocess.fit = fit_of(options_.fit);
    val_rows_.emplace(context_, data_.val, model_.preprocess, options_.strict);
  }
  constexpr double kGentleRate = 5e-4;  // from good weights: a much higher one first throws them away
  constexpr double kRateFromScratch = 2e-3;
  FineTuneOptions tuning = tuning_options(options_.pretrained ? kGentleRate : kRateFromScratch);
  LoaderOptions loading;
  loading.batch = tuning.batch;
  loading.order = LoaderOptions::Order::kShuffled;
  loading.preprocess = model_.preprocess;
  loading.augment = policy_of(options_);
  loading.classes = data_.class_count();
  loading.label_smoothing = static_cast<float>(options_.label_smoothing);
  loading.class_weights = class_weights();
  loading.seed = options_.seed;
  loading.strict = options_.strict;
  const auto cache = PhotoCache::open(options_.data, CachedForm::working(model_.preprocess));
  FOVEA_ASSIGN(auto loader, BatchLoader::create(context_, data_.train, *cache, loading));
  PhotoBatches source(std::move(loader));
  return tune("full", tuning, source, options_.epochs.value_or(options_.pretrained ? 8 : 60));
}

Result<void> TrainingRun::cached_stage(std::string_view name, int cut_stage, double default_lr, int default_epochs) {
  FineTuneOptions tuning = tuning_options(default_lr);
  tuning.cut_stage = cut_stage;
  const std::string output = "stage/" + std::to_string(cut_stage);
  FOVEA_ASSIGN(Inference frozen, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, output));
  reporter_.begin_stage("activations", train_rows_->size());
  FOVEA_ASSIGN(LabelledTable table, train_rows_->run_once(frozen, reporter_));
  reporter_.end_stage();
  if (table.labels.empty()) return fail(Error::Kind::kFormat, "{}: no training photo could be read", options_.data.string());
  CachedBatches source(std::move(table), {.batch = tuning.batch,
                                          .classes = data_.class_count(),
                                          .label_smoothing = static_cast<float>(options_.label_smoothing),
                                          .class_weights = class_weights(),
                                          .seed = options_.seed});
  return tune(name, tuning, source, options_.epochs.value_or(default_epochs));
}

Result<void> TrainingRun::tail_stage() {
  FOVEA_ASSIGN(const int cut, tail_cut(model_.spec, static_cast<std::int64_t>(data_.train.size())));
  return cached_stage("tail", cut, 3e-4, 10);
}

Result<void> TrainingRun::conv_head_stage() {
  FOVEA_ASSIGN(Inference features, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, "features"));
  FOVEA_TRY(choose_fit(features));
  train_rows_.emplace(context_, data_.train, model_.preprocess, options_.strict);
  val_rows_.emplace(context_, data_.val, model_.preprocess, options_.strict);
  FOVEA_ASSIGN(const auto stages, parameters_by_stage(model_.spec));
  return cached_stage("head", static_cast<int>(stages.size()) - 2, 1e-3, 20);
}

}  // namespace fovea::training
