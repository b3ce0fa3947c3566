// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/figures.h"
#include "fovea/trainer.h"
#include "multi_label_json.h"
#include "signals.h"
#include "train_flags.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct TrainFlags {
  TrainOptions options;
  ComputeFlags compute;
  OutputFlags output;
};

std::string_view key_of(Measure measure) { return measure == Measure::kAccuracy ? "accuracy" : "mean_average_precision"; }
std::string_view word_of(Measure measure) { return measure == Measure::kAccuracy ? "right" : "mAP"; }

nlohmann::ordered_json json_of(const EpochReport& epoch) {
  nlohmann::ordered_json object{{"event", "epoch"},
                                {"stage", epoch.stage},
                                {"epoch", epoch.epoch},
                                {"epochs", epoch.epochs},
                                {"train_loss", epoch.train_loss},
                                {"val_loss", epoch.val_loss},
                                {fmt::format("val_{}", key_of(epoch.measure)), epoch.val_accuracy},
                                {"lr", epoch.lr},
                                {"images_per_second", epoch.images_per_second},
                                {"wait_share", epoch.wait_share},
                                {"best", epoch.best}};
  if (epoch.device_busy) object["device_busy"] = *epoch.device_busy;
  if (epoch.loss_scale) object.update({{"loss_scale", *epoch.loss_scale}, {"skipped_steps", epoch.skipped_steps}});
  return object;
}

nlohmann::ordered_json json_of(const Utilisation& utilisation) {
  nlohmann::ordered_json object{{"images_per_second", utilisation.images_per_second}, {"wait_share", utilisation.wait_share}};
  if (utilisation.device_busy) object["device_busy"] = *utilisation.device_busy;
  if (!utilisation.remedy.empty()) object["remedy"] = utilisation.remedy;
  return object;
}

std::string text_of(const Utilisation& utilisation) {
  std::string text = fmt::format("fine-tuned {:.1f} images/s, {} of the time waiting for photos", utilisation.images_per_second,
                                 percent(utilisation.wait_share));
  if (utilisation.device_busy) text += fmt::format(", the GPU busy {} of it", percent(*utilisation.device_busy));
  return text;
}

/// Shows a running training: a table on standard error, or events as JSON lines on standard output.
class TrainView final : public TrainObserver {
 public:
  explicit TrainView(Console& console) : console_(console) {}

  void on_stage_started(std::string_view stage) override { console_.busy(stage); }
  void on_progress(const Progress& progress) override { console_.progress(progress); }

  void on_epoch(const EpochReport& epoch) override {
    if (console_.json()) return console_.print_json(json_of(epoch));
    if (epoch.epoch == 1)
      console_.note(fmt::format("  {:>7}  {:>6}  {:>6}  {:>7}  {:>9}  {:>8}", "epoch", "loss", "val", word_of(epoch.measure),
                                "rate", "images/s"));
    std::string line =
        fmt::format("  {:>7}  {:>6.3f}  {:>6.3f}  {:>7}  {:>9.2e}  {:>8.1f}", fmt::format("{}/{}", epoch.epoch, epoch.epochs),
                    epoch.train_loss, epoch.val_loss, percent(epoch.val_accuracy), epoch.lr, epoch.images_per_second);
    if (epoch.wait_share > kMostWaiting) line += fmt::format("  waiting {} for photos", percent(epoch.wait_share));
    if (epoch.best) line += "  best";
    console_.note(line);
  }

  void on_stage_finished(const StageReport& stage) override {
    if (console_.json()) {
      nlohmann::ordered_json object{{"event", "stage"}, {"stage", stage.name}, {"seconds", stage.seconds}};
      if (stage.accuracy) object[std::string(key_of(stage.measure))] = *stage.accuracy;
      return console_.print_json(object);
    }
    const std::string right = stage.accuracy ? fmt::format("{} {}", percent(*stage.accuracy), word_of(stage.measure)) : "";
    console_.note(fmt::format("{:<10} {:<16} {:>10}", stage.name, right, duration(stage.seconds)));
  }

  void on_first_model(const FirstModel& model) override {
    if (console_.json()) {
      return console_.print_json({{"event", "first_model"},
                                  {"model", model.path.string()},
                                  {std::string(key_of(model.measure)), model.accuracy},
                                  {"folds", model.folds.folds},
                                  {"folds_tried", model.folds.tried},
                                  {"photos", model.photos},
                                  {"seconds", model.seconds}});
    }
    const std::string how =
        fmt::format("usable from now on; by {} on {}", model.folds.describe(), counted(model.photos, "photo"));
    console_.note(fmt::format("{:<10} {:<16} {:>10}  {}", "model",
                              fmt::format("{} {}", percent(model.accuracy), word_of(model.measure)), duration(model.seconds),
                              wrapped(how, 39, 41)));
  }

  void on_choice(const Choice& choice) override {
    if (console_.json())
      return console_.print_json(
          {{"event", "choice"}, {"what", choice.what}, {"chosen", choice.chosen}, {"reason", choice.reason}});
    console_.note(fmt::format("{:<10} {}", choice.what, wrapped(fmt::format("{}: {}", choice.chosen, choice.reason), 68, 11)));
  }

  void on_skipped(const SkippedPhoto& photo) override {
    if (console_.json())
      return console_.print_json({{"event", "skipped"}, {"path", photo.path.string()}, {"reason", photo.reason}});
    console_.warn(in_line(fmt::format("skipped {}: {}", photo.path.string(), photo.reason)));
  }
  void on_note(std::string_view text) override { console_.note(wrapped(text, 78, 2)); }
  void on_warning(std::string_view text) override { console_.warn(text); }

 private:
  Console& console_;
};

/// The final figure is that of the test photos, where there are any; that of the validation photos stands beside it.
nlohmann::ordered_json figures(const TrainReport& report) {
  const auto pair = [](const Interval& interval) { return nlohmann::ordered_json{interval.low, interval.high}; };
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  const bool tested = report.test_accuracy.has_value();
  object["photos"] = tested ? report.test_photos : report.val_photos;
  if (tested || report.accuracy) {
    object["accuracy"] = tested ? *report.test_accuracy : *report.accuracy;
    object["interval"] = pair(tested ? report.test_interval : report.interval);
    object["measured_on"] = tested ? "test" : "val";
    object["picked_by_validation"] = !tested && report.picked_by_validation;
  }
  if (report.accuracy) {
    object["val"] = {{"photos", report.val_photos},
                     {"accuracy", *report.accuracy},
                     {"interval", pair(report.interval)},
                     {"picked_by_validation", report.picked_by_validation}};
  }
  if (tested) {
    object["test"] = {{"photos", report.test_photos},
                      {"accuracy", *report.test_accuracy},
                      {"interval", pair(report.test_interval)},
                      {"calibration_error", *report.test_calibration_error}};
    if (report.test_rejected) object["test"]["rejected"] = *report.test_rejected;
  }
  if (report.multi_label) object["val"]["multi_label"] = label_set_json(*report.multi_label);
  if (report.test_multi_label) object["test"]["multi_label"] = label_set_json(*report.test_multi_label);
  if (report.multi_label || report.test_multi_label)
    object["multi_label"] = label_set_json(report.test_multi_label ? *report.test_multi_label : *report.multi_label);
  if (const auto& c = report.calibration) {
    object["calibration"] = {{"temperature", c->temperature},
                             {"mapped", c->mapped},
                             {"error_before", c->error_before},
                             {"error", c->error},
                             {"error_cross_fitted", c->error_cross_fitted},
                             {"photos", c->photos},
                             {"fitted_on", c->fitted_on}};
  }
  if (const auto& r = report.rejection) {
    object["rejection"] = {{"threshold", r->threshold},         {"known_rejected", r->known_rejected},
                           {"known_photos", r->known_photos},   {"measured_on", r->measured_on},
                           {"none_rejected", r->none_rejected}, {"none_photos", r->none_photos}};
    if (r->none_area) object["rejection"]["none_area"] = *r->none_area;
  }
  return object;
}

std::string right_of(double accuracy, std::int64_t photos, const Interval& interval, std::string_view kind) {
  return fmt::format("{} right on {} (95 % interval {} to {})", percent(accuracy), fmt::format("{} {}", photos, kind),
                     percent(interval.low), percent(interval.high));
}

/// A line of the end's summary.
void say(Console& console, std::string_view text) { console.note(wrapped(text, 78, 2)); }

void tell_label_sets(Console& console, const MultiLabelFigures& figures, std::int64_t photos, std::string_view kind) {
  say(console,
      fmt::format("mean average precision {} (95 % interval {} to {}; by chance {})", percent(figures.mean_average_precision),
                  percent(figures.interval.low), percent(figures.interval.high), percent(figures.chance)));
  console.note(fmt::format("  on {} {}", photos, kind));
  console.note(fmt::format("  labels answered: F1 {} micro, {} macro; {} of the photos exactly", percent(figures.micro_f1),
                           percent(figures.macro_f1), percent(figures.exact_match)));
}

void tell_figures(Console& console, const TrainReport& report) {
  const std::string_view unseen = report.caveat.empty() ? "photos that it was not trained on" : "validation photos";
  constexpr std::string_view kTest = "test photos, which no choice saw";
  if (report.test_multi_label) {
    tell_label_sets(console, *report.test_multi_label, report.test_photos, kTest);
    console.note(fmt::format("  calibration error {:.4f}", *report.test_calibration_error));
  } else if (report.multi_label) {
    tell_label_sets(console, *report.multi_label, report.val_photos, unseen);
  } else if (report.test_accuracy) {
    say(console, right_of(*report.test_accuracy, report.test_photos, report.test_interval, kTest));
    std::string also = fmt::format("on them: calibration error {:.4f}", *report.test_calibration_error);
    if (report.test_rejected) also += fmt::format(", {} wrongly called unknown", percent(*report.test_rejected));
    say(console, also);
  } else if (report.accuracy) {
    say(console, right_of(*report.accuracy, report.val_photos, report.interval, unseen));
  } else {
    say(console, fmt::format("how often it is right on new photos is not known: {}",
                             report.stopped ? "stopped before that was measured" : "there was none to keep apart"));
  }
  if (!report.caveat.empty()) say(console, report.caveat);
  const bool tested = report.test_accuracy.has_value();
  if (!tested && report.accuracy && report.picked_by_validation)
    say(console, "the best epoch was picked by these photos, so on new ones expect slightly less");
}

void summarize(Console& console, const TrainReport& report) {
  if (console.json()) {
    nlohmann::ordered_json object{{"event", "done"},
                                  {"model", report.model.string()},
                                  {"run_folder", report.run_folder.string()},
                                  {"report", report.html.string()},
                                  {"arch", report.arch},
                                  {"classes", report.classes},
                                  {"train_photos", report.train_photos}};
    object.update(figures(report));
    if (report.balanced_accuracy) object["balanced_accuracy"] = *report.balanced_accuracy;
    if (report.macro_f1) object["macro_f1"] = *report.macro_f1;
    if (report.cross_validation) {
      object["cross_validation"] = {{"of", report.cross_validation->what},
                                    {"measure", key_of(report.cross_validation->measure)},
                                    {"accuracies", report.cross_validation->accuracies},
                                    {"mean", report.cross_validation->mean},
                                    {"deviation", report.cross_validation->deviation}};
    }
    if (report.utilisation) object["utilisation"] = json_of(*report.utilisation);
    if (!report.caveat.empty()) object["caveat"] = report.caveat;
    object["best_stage"] = report.best_stage;
    object["seconds"] = report.seconds;
    object["skipped"] = report.skipped.size();
    object["stopped"] = report.stopped;
    if (!report.lost_folder.empty()) object["lost_folder"] = report.lost_folder;
    return console.print_json(object);
  }
  if (report.stopped)
    say(console, "stopped before the end: this is the best model so far; the same command with --resume goes on");
  console.print(fmt::format("{}", report.model.string()));
  tell_figures(console, report);
  if (report.balanced_accuracy && report.macro_f1) {
    say(console, fmt::format("each class counting the same: {} right, mean F1 {}", percent(*report.balanced_accuracy),
                             percent(*report.macro_f1)));
  }
  if (report.cross_validation) {
    const CrossValidation& folds = *report.cross_validation;
    say(console, fmt::format("{} {}in {}-fold cross-validation of the {}, give or take {} between folds", percent(folds.mean),
                             folds.measure == Measure::kAccuracy ? "" : "mAP ", folds.accuracies.size(), folds.what,
                             percent(folds.deviation)));
  }
  if (report.utilisation) say(console, text_of(*report.utilisation));
  if (!report.html.empty()) say(console, fmt::format("report in {}", report.html.string()));
  say(console, fmt::format("log and metrics in {}; {} in all", report.run_folder.string(), duration(report.seconds)));
}

int train_verb(TrainFlags& flags) {
  Console console("train", flags.output);
  TrainView view(console);
  TrainOptions& options = flags.options;
  hand_on(flags.compute, options);
  options.stop = &stop_on_signals();
  const auto report = train(options, &view);
  if (!report && report.error().kind == Error::Kind::kCancelled) {
    return console.fail({Error::Kind::kCancelled, "stopped before there was a model; the same command with --resume goes on"});
  }
  if (!report) return console.fail(report.error());
  summarize(console, *report);
  if (!report->lost_folder.empty()) console.error(report->lost_folder);
  return report->skipped.empty() && report->lost_folder.empty() ? kDone : kSomeFailed;
}

void add_network_flags(CLI::App& app, TrainOptions& options) {
  app.add_option("--arch", options.arch, "efficientnet_lite0 to 4, mobilenet_v2, mobilenet_v2_0.35 to 1.4, yolo11n-cls to x")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--weights", options.weights, "pretrained backbone: .safetensors, .pt or .pth")->type_name("FILE");
  app.add_flag_callback(
      "--from-scratch", [&options] { options.pretrained = false; }, "random weights, no backbone");
  add_choice<Scope>(app, "--scope", options.scope,
                    {{"auto", Scope::kAuto}, {"head", Scope::kHead}, {"tail", Scope::kTail}, {"full", Scope::kFull}},
                    "how much of the network learns [auto]");
  add_choice<HeadKind>(app, "--head", options.head, {{"linear", HeadKind::kLinear}, {"conv", HeadKind::kConv}},
                       "what stands on the backbone [linear]");
  add_batchnorm(app, options.batchnorm);
  add_fit(app, options.fit);
  app.add_option("--zoom", options.zoom, "of --fit crop: 1 keeps the whole shorter side, 2 half of it")->check(number(1.0, 8.0));
  app.add_option("--size", options.size, "input side in pixels; what is not given of fit, zoom and size is chosen")
      ->check(whole_number(32, 640));
}

void add_recipe_flags(CLI::App& app, TrainOptions& options) {
  app.add_option("--epochs", options.epochs, "passes over the photos [chosen]")->check(whole_number(1, 100000));
  app.add_option("--batch", options.batch, "photos in a step [chosen]")->check(whole_number(1, 4096));
  app.add_option("--lr", options.lr, "peak learning rate [chosen]")->check(above_zero());
  app.add_option("--time-budget", options.time_budget_s, "seconds that training may take")->check(above_zero());
  add_choice<OptimizerKind>(app, "--optimizer", options.optimizer,
                            {{"adamw", OptimizerKind::kAdamW}, {"sgd", OptimizerKind::kSgd}}, "what moves the weights [adamw]");
  app.add_option("--momentum", options.momentum, "of sgd")->check(number(0.0, 0.9999))->capture_default_str();
  app.add_option("--weight-decay", options.weight_decay, "not on biases and norms [chosen]")->check(zero_or_more());
  app.add_option("--label-smoothing", options.label_smoothing,
                 "share of the target spread over all classes; 0.1 if not given, 0 with any number of labels")
      ->check(number(0.0, 0.9));
  app.add_option("--dropout", options.dropout, "before the last layer")->check(number(0.0, 0.95))->capture_default_str();
  app.add_option("--clip", options.clip_norm, "longest gradient; 0: any")->check(zero_or_more())->capture_default_str();
  app.add_option("--ema", options.ema_decay, "decay of the weight average; 0: none")->check(number(0.0, 0.999999));
  add_choice<AugmentLevel>(app, "--augment", options.augment,
                           {{"none", AugmentLevel::kNone},
                            {"light", AugmentLevel::kLight},
                            {"standard", AugmentLevel::kStandard},
                            {"strong", AugmentLevel::kStrong}},
                           "random variations of the training photos [chosen]");
  app.add_option("--mixup", options.mixup, "alpha of its Beta distribution; 0: none")
      ->check(zero_or_more())
      ->capture_default_str();
  app.add_option("--cutmix", options.cutmix, "alpha of its Beta distribution; 0: none")
      ->check(zero_or_more())
      ->capture_default_str();
  add_choice<Balance>(
      app, "--balance", options.balance, {{"auto", Balance::kAuto}, {"off", Balance::kOff}, {"on", Balance::kOn}},
      "on: every class is drawn as often as any other; auto: where one has over five times the photos of another");
  add_choice<ClassWeights>(app, "--class-weights", options.class_weights,
                           {{"auto", ClassWeights::kAuto}, {"none", ClassWeights::kNone}, {"balanced", ClassWeights::kBalanced}},
                           "balanced: every class weighs the same; auto: in the last layer, where --balance evens out");
}

}  // namespace

Run add_train(CLI::App& app) {
  auto flags = std::make_shared<TrainFlags>();
  TrainOptions& options = flags->options;
  app.description(
      "A folder of photos becomes a classifier.\n\n"
      "  fovea train skies -o weather   skies: a folder of photos for each class\n"
      "  fovea train skies -o weather --scope full --time-budget 30\n"
      "  fovea train photos.csv -o things   rows like 'beach.jpg,sea;sun': any labels");
  app.add_option("DATA", options.data, "class folders; train/ and val/ of those; or a CSV 'path,label[,split]'")->required();
  app.add_option("--add", options.more_data, "further photos to train on, such as the corrections of a scale; may be given again")
      ->type_name("DATA")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("-o,--output", options.model, "the model; '.safetensors' is added to a name without extension")
      ->type_name("FILE")
      ->default_val("model");
  app.add_option("--run", options.run_folder, "folder for log and metrics; beside the model if not given")->type_name("FOLDER");
  add_network_flags(app, options);
  add_recipe_flags(app, options);
  app.add_flag("--multi-label", options.multi_label,
               "a photo may have any number of labels: where it lies in several class folders, all of them");
  app.add_option("--val", options.val_fraction, "share of the photos held out where the data has no val/ of its own")
      ->check(number(0.0, 0.9))
      ->capture_default_str();
  app.add_option("--folds", options.folds, "also k-fold cross-validation: of the last layer; with --scope, of all that it says")
      ->check(whole_number(2, 100));
  app.add_option("--reject-rate", options.reject_rate, "share of known photos that may be called unknown; 0: none is")
      ->check(number(0.0, 0.99))
      ->capture_default_str();
  add_seed(app, options.seed, "of everything random");
  app.add_flag("--resume", options.resume, "go on with the run that was interrupted: the same command with this added");
  app.add_option("--checkpoint-every", options.checkpoint_interval_s, "seconds of work that a power cut may cost")
      ->check(zero_or_more())
      ->capture_default_str();
  app.add_flag("--strict", options.strict, "the first unreadable photo ends the run");
  add_compute_flags(app, flags->compute);
  add_training_precision(app, options.precision);
  add_choice<DecodeChoice>(
      app, "--decode", options.decode, {{"cpu", DecodeChoice::kCpu}, {"gpu", DecodeChoice::kGpu}},
      "of the photos that fine-tuning varies; gpu: by NVIDIA's nvJPEG, whose pixels are not quite the CPU's");
  app.get_option("--device")
      ->description(
          "auto, cpu, cuda or cuda:N, or several that share each batch: cuda:all, cuda:0,1; one that cannot be used ends the "
          "program");
  add_output_flags(app, flags->output);
  return [flags, &app] {
    flags->options.folds_of_recipe = app.count("--scope") > 0;
    return train_verb(*flags);
  };
}

}  // namespace fovea::cli
