// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "data/cache.h"
#include "train/device_batches.h"
#include "train/fit_choice.h"
#include "train/precision.h"
#include "train/training_run.h"
#include "train/utilisation.h"

namespace fovea::training {
namespace {

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

int TrainingRun::tuning_batch() const { return tuning_batch_of(options_, static_cast<std::int64_t>(data_.train.size())); }

FineTuneOptions TrainingRun::tuning_options(const TuningWay& way) const {
  FineTuneOptions tuning;
  tuning.norm = way.norm;
  tuning.batch = tuning_batch();
  const bool sgd = options_.optimizer == OptimizerKind::kSgd;
  tuning.optimizer.kind = sgd ? OptimizerOptions::Kind::kSgd : OptimizerOptions::Kind::kAdamW;
  tuning.optimizer.momentum = options_.momentum;
  tuning.optimizer.nesterov = sgd && options_.momentum > 0;
  tuning.optimizer.weight_decay = options_.weight_decay.value_or(sgd ? 1e-4 : 0.02);
  tuning.schedule.peak = peak_rate(options_, way);
  tuning.clip_norm = options_.clip_norm;
  tuning.seed = options_.seed;
  tuning.multi_label = data_.multi_label;
  tuning.precision = precision_;
  return tuning;
}

int TrainingRun::affordable_epochs(double seconds_per_epoch, int wanted) {
  // Without a budget nothing may depend on how fast the machine happens to be: the same seed gives the same model.
  if (!options_.time_budget_s) return wanted;
  const double left = *options_.time_budget_s - reporter_.seconds();
  const int possible = static_cast<int>(std::clamp(left / seconds_per_epoch, 0.0, static_cast<double>(wanted)));
  if (possible < wanted) {
    reporter_.choice({"epochs", std::to_string(possible),
                      fmt::format("of {}: an epoch takes about {:.0f} s here, and {:.0f} s are left", wanted, seconds_per_epoch,
                                  std::max(0.0, left))});
  }
  return possible;
}

std::optional<double> TrainingRun::best_accuracy_of(std::string_view stage) {
  std::optional<double> best;
  for (const EpochReport& epoch : reporter_.report().epochs) {
    if (epoch.stage == stage) best = std::max(best.value_or(0), epoch.val_accuracy);
  }
  return best;
}

void TrainingRun::tell_split(const FineTuner& tuner) {
  if (!tuner.split() || std::exchange(split_told_, true)) return;
  const Split& split = *tuner.split();
  reporter_.choice({"memory", fmt::format("{} photos at once", split.rows),
                    fmt::format("a batch of {} does not fit ({}); their gradients are summed, which gives the same", split.batch,
                                split.reason)});
}

/// A few are how the scale is found. More is a network whose activations themselves do not fit.
void TrainingRun::tell_overflows(const EpochReport& epoch, const EpochResult& done) {
  constexpr double kMany = 0.1;
  if (epoch.skipped_steps == 0) return;
  const std::string text =
      fmt::format("fp16: {} of {} steps of epoch {} overflowed and moved nothing; the loss is now multiplied by {:.0f}",
                  epoch.skipped_steps, done.batches, epoch.epoch, *epoch.loss_scale);
  if (static_cast<double>(epoch.skipped_steps) <= kMany * static_cast<double>(done.batches)) return reporter_.note(text);
  reporter_.warning(text +
                    (*epoch.loss_scale <= LossScale::kLeast ? ", which is the least: --precision fp32 does not overflow" : ""));
}

Result<EpochResult> TrainingRun::run_epoch(TunerTeam& team, std::span<BatchSource* const> sources, Tuning& tuning) {
  FineTuner& tuner = team.first();
  auto result = team.run_epoch(
      sources, static_cast<std::uint32_t>(tuning.epoch),
      [&](const EpochResult& done) -> Result<bool> {
        reporter_.advance(done.photos - tuning.done.photos, done.wait_share());
        tuning.done = done;
        tell_split(tuner);
        if (checkpoint_.due()) keep_tuning(tuner, tuning);
        return true;
      },
      tuning.done);
  for (BatchSource* source : sources) reporter_.skipped(source->skipped());
  if (decoder_ && decoder_->failure()) return *decoder_->failure();
  if (!result) return result;
  tuning.done = *result;
  if (!result->finished) {
    keep_tuning(tuner, tuning);
    return fail(Error::Kind::kCancelled, "stopped on request");
  }
  return result;
}

Result<void> TrainingRun::judge_epoch(FineTuner& tuner, Inference& logits, const Tuning& tuning) {
  Validation validation;
  if (!data_.val.empty()) {
    auto judged = validate(logits);
    if (!judged && judged.error().kind == Error::Kind::kCancelled) keep_tuning(tuner, tuning);
    if (!judged) return judged.error();
    validation = std::move(*judged);
  }
  const EpochResult& done = tuning.done;
  const double speed = done.seconds > 0 ? static_cast<double>(done.photos) / done.seconds : 0;
  EpochReport report{tuning.stage,        tuning.epoch, tuning.epochs, done.loss(),       validation.loss,
                     validation.accuracy, done.lr,      speed,         done.wait_share(), false};
  if (const auto scale = tuner.counters().loss_scale) {
    report.loss_scale = static_cast<double>(scale->scale);
    report.skipped_steps = scale->skipped - done.skipped_before;
    tell_overflows(report, done);
  }
  FOVEA_ASSIGN(report.best, keep_if_better(std::move(validation), tuner.result(), tuning.stage));
  reporter_.epoch(report);
  return {};
}

Result<void> TrainingRun::tune(std::string_view stage, FineTuneOptions options, std::span<BatchSource* const> sources,
                               int epochs) {
  const std::int64_t steps = sources[0]->batches_per_epoch();
  options.ema_decay = options_.ema_decay.value_or(average_decay(steps * epochs));
  FOVEA_ASSIGN(ParameterSet trained, copy_parameters(model_.spec, model_.parameters));
  FOVEA_ASSIGN(ParameterSet candidate, copy_parameters(model_.spec, model_.parameters));
  std::vector<const Device*> devices{&device_};
  for (std::size_t i = 1; i < sources.size(); ++i) devices.push_back(&more_devices_[i - 1]);
  FOVEA_ASSIGN(TunerTeam team, TunerTeam::create(context_, devices, model_.spec, trained, options));
  FineTuner& tuner = team.first();
  const std::string reason(precision_reason(options_.precision, precision_, tuner.precision()));
  if (tuner.precision() != graph::Precision::kF32) {
    reporter_.choice({"precision", std::string(graph::name_of(tuner.precision())), reason});
  } else if (options_.precision != PrecisionChoice::kAuto && options_.precision != PrecisionChoice::kFp32) {
    reporter_.note("precision: fp32; " + reason);
  }
  FOVEA_ASSIGN(const double step_seconds, tuner.measure_step());
  const double seconds_per_epoch = step_seconds * static_cast<double>(steps);
  tell_split(tuner);
  Tuning tuning{.stage = std::string(stage), .epochs = 0, .epoch = 1, .done = {}};
  FOVEA_ASSIGN(const bool resumed, recall_tuning(tuner, tuning));
  if (!resumed) tuning.epochs = affordable_epochs(seconds_per_epoch, epochs);
  if (tuning.epochs == 0) return {};
  options.schedule.steps = steps * tuning.epochs;
  options.schedule.warmup = std::max<std::int64_t>(1, options.schedule.steps * 15 / 100);
  FOVEA_TRY(team.set_schedule(options.schedule, options_.ema_decay.value_or(average_decay(options.schedule.steps))));
  FOVEA_ASSIGN(Inference logits, Inference::create(context_, *device_.backend, model_.spec, candidate, "logits", true));
  reporter_.begin_stage(stage, static_cast<std::int64_t>(data_.train.size() + data_.val.size()) * tuning.epochs);
  for (; tuning.epoch <= tuning.epochs; ++tuning.epoch, tuning.done = {}) {
    FOVEA_TRY(run_epoch(team, sources, tuning));
    std::ranges::copy(tuner.result(), candidate.all().begin());
    logits.refresh();
    FOVEA_TRY(judge_epoch(tuner, logits, tuning));
    if (!std::isfinite(tuning.done.loss())) {
      reporter_.warning(fmt::format("the loss is no longer a number: a lower rate than {:.2g} may help; keeping the best so far",
                                    options.schedule.peak));
      break;
    }
    const bool out_of_time = options_.time_budget_s && reporter_.seconds() + seconds_per_epoch / 2 > *options_.time_budget_s;
    if (out_of_time && tuning.epoch < tuning.epochs) {
      stopped_ = true;
      break;
    }
  }
  reporter_.end_stage(data_.val.empty() ? std::nullopt : best_accuracy_of(stage));
  return {};
}

LoaderOptions TrainingRun::loading_options(int batch) const {
  LoaderOptions loading;
  loading.batch = batch;
  loading.order = balance_.sampling ? LoaderOptions::Order::kBalanced : LoaderOptions::Order::kShuffled;
  loading.preprocess = model_.preprocess;
  loading.augment = policy_of(options_, planned_augment_of(options_, planned_epochs().epochs).level);
  loading.classes = data_.class_count();
  loading.multi_label = data_.multi_label;
  loading.label_smoothing = static_cast<float>(options_.label_smoothing.value_or(data_.multi_label ? 0 : 0.1));
  loading.class_weights = balance_.tuning_weights;
  loading.seed = options_.seed;
  loading.strict = options_.strict;
  return loading;
}

Result<void> TrainingRun::full_stage() {
  if (!train_rows_) {
    if (options_.fit != FitChoice::kAuto || options_.zoom)
      model_.preprocess = fit_candidates(options_, model_.preprocess).front();
    val_rows_.emplace(context_, data_.val, model_.preprocess, options_.strict);
  }
  const auto cache = PhotoCache::open(options_.data, CachedForm::working(model_.preprocess), {.decoder = decoder_.get()});
  const LoaderOptions loading = loading_options(tuning_batch());
  FOVEA_ASSIGN(const std::optional<TuningWay> way, choose_way(loading, *cache));
  if (!way) return {};
  const PlannedEpochs plan = planned_epochs();
  reporter_.choice({"epochs", std::to_string(plan.epochs), plan.reason});
  const PlannedAugment augment = planned_augment_of(options_, plan.epochs);
  reporter_.choice({"augmentation", std::string(name_of(augment.level)), augment.reason});
  const auto members = static_cast<int>(more_devices_.size()) + 1;
  std::vector<std::unique_ptr<BatchSource>> batches;
  std::vector<BatchSource*> sources;
  for (int part = 0; part < members; ++part) {
    LoaderOptions own = loading;
    own.part = part;
    own.parts = members;
    own.workers = std::max(1, context_.threads / members);
    const Device& device = part == 0 ? device_ : more_devices_[static_cast<std::size_t>(part) - 1];
    FOVEA_ASSIGN(auto made, make_photo_batches(context_, *device.backend, data_.train, *cache, own));
    sources.push_back(batches.emplace_back(std::move(made)).get());
  }
  Result<void> tuned = tune("full", tuning_options(*way), sources, plan.epochs);
  tell_decoding();
  tell_utilisation(cache->statistics().trouble);
  if (const std::string residence = sources.front()->residence(); !residence.empty()) reporter_.note(residence);
  return tuned;
}

void TrainingRun::tell_decoding() {
  if (!decoder_) return;
  if (const std::string report = decoder_->report(); !report.empty()) reporter_.note(report);
}

void TrainingRun::tell_utilisation(const std::string& cache_trouble) {
  const Feeding feeding{context_.threads, available_processors(), device_.name != "cpu", cache_trouble};
  if (auto utilisation = utilisation_of(reporter_.report(), feeding)) reporter_.utilisation(std::move(*utilisation));
}

PlannedEpochs TrainingRun::planned_epochs() const {
  return planned_epochs_of(options_, static_cast<std::int64_t>(data_.train.size()), data_.class_count());
}

std::int64_t TrainingRun::photos_shown() const { return planned_epochs().epochs * static_cast<std::int64_t>(data_.train.size()); }

Result<void> TrainingRun::cached_stage(std::string_view name, int cut_stage, double default_lr, int default_epochs) {
  FineTuneOptions tuning = tuning_options(cached_way(options_, default_lr));
  tuning.cut_stage = cut_stage;
  const std::string output = "stage/" + std::to_string(cut_stage);
  FOVEA_ASSIGN(Inference frozen, Inference::create(context_, *device_.backend, model_.spec, model_.parameters, output));
  reporter_.begin_stage("activations", train_rows_->size());
  FOVEA_ASSIGN(LabelledTable table, train_rows_->run_once(frozen, reporter_));
  reporter_.end_stage();
  if (table.labels.empty()) return fail(Error::Kind::kFormat, "{}: no training photo could be read", options_.data.string());
  if (best_stage_.empty()) FOVEA_TRY(check_classes_read(table));  // else the last layer has told it
  CachedBatches source(std::move(table), data_.train, loading_options(tuning.batch));
  BatchSource* only = &source;
  return tune(name, tuning, std::span(&only, 1), options_.epochs.value_or(default_epochs));
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
