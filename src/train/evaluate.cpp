// SPDX-License-Identifier: Apache-2.0
#include "fovea/evaluate.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/file.h"
#include "model/model_file.h"
#include "report/contact_sheet.h"
#include "runtime/device.h"
#include "runtime/machine_tuning.h"
#include "train/calibration.h"
#include "train/label_calibration.h"
#include "train/label_sets.h"
#include "train/metrics.h"
#include "train/photo_marks.h"
#include "train/photo_rows.h"
#include "train/rejection.h"
#include "train/report_input.h"

namespace fovea {
namespace {

/// The first names, so that a thousand classes make no page of an error.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 12;
  const std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMost)), ", "));
  return names.size() > kMost ? text + ", …" : text;
}

/// The split that is meant where none is named.
std::string split_of(const Dataset& data, const std::string& asked) {
  if (!asked.empty()) return asked;
  return !data.val.empty() ? "val" : data.test.empty() ? "train" : "test";
}

template <class Splits>
auto& samples_in(Splits& splits, const std::string& split) {
  return split == "train" ? splits.train : split == "test" ? splits.test : splits.val;
}

/// How many photos of the classes, and of none of them, the model calls unknown.
Result<void> measure_rejection(const Context& context, const Model& model, training::Inference& logits,
                               const training::LabelledTable& known, const std::vector<Sample>& none, bool strict,
                               training::Reporter& reporter, Evaluation& result) {
  if (!model.rejection) return {};
  const auto share = [&](const training::LabelledTable& photos) {
    return training::share_above(training::rejection_scores(context, *model.rejection, photos.features, photos.table),
                                 model.rejection->threshold);
  };
  result.rejected = share(known);
  if (none.empty()) return {};
  const training::PhotoRows rows(context, none, model.preprocess, strict);
  FOVEA_ASSIGN(const training::LabelledTable out, rows.run_once(logits, reporter));
  result.none_photos = out.features.rows();
  if (result.none_photos > 0) result.none_rejected = share(out);
  return {};
}

std::string caveat_of(const SeenBefore& seen) {
  const auto in_percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
  if (seen.learned > 0)
    return fmt::format("The model was trained on {} of these photos: on new ones expect less.", in_percent(seen.learned));
  if (seen.judged > 0 && !seen.chose.empty()) {
    return fmt::format("By {} of these photos the model's {} was chosen: on new ones expect slightly less.",
                       in_percent(seen.judged), seen.chose);
  }
  return {};
}

std::optional<SeenBefore> seen_before(const Context& context, const Model& model, std::span<const Sample> samples) {
  if (!model.seen) return std::nullopt;
  const std::vector<std::uint64_t> marks = training::marks_of(context, samples);
  const auto learned = share_seen(model.seen->learned, marks);
  const auto judged = share_seen(model.seen->judged, marks);
  if (context.folders_lost()) return std::nullopt;
  if (!learned || !judged) return std::nullopt;
  SeenBefore seen{*learned, *judged, model.seen->chose, {}};
  seen.caveat = caveat_of(seen);
  return seen;
}

/// What a model for any number of labels knows of the photos' labels; a photo of whose labels it knows none is taken out.
std::vector<Sample> known_label_sets(std::vector<Sample> samples, const std::vector<std::string>& names,
                                     const std::vector<std::string>& classes, Evaluation& result) {
  std::vector<Sample> known;
  for (Sample& sample : samples) {
    const std::size_t before = sample.labels.size();
    std::vector<int> labels;
    for (const int label : sample.labels) {
      const std::string& name = names[static_cast<std::size_t>(label)];
      const auto found = std::ranges::find(classes, name);
      if (found != classes.end()) {
        labels.push_back(static_cast<int>(found - classes.begin()));
      } else if (std::ranges::find(result.unknown_labels, name) == result.unknown_labels.end()) {
        result.unknown_labels.push_back(name);
      }
    }
    if (labels.empty() && before > 0) {
      ++result.unknown_photos;
      continue;
    }
    sample.labels = std::move(labels);
    known.push_back(std::move(sample));
  }
  return known;
}

/// Labels turned from the data's numbers into the model's; what the model does not know is taken out and counted.
std::vector<Sample> known_samples(std::vector<Sample> samples, const std::vector<std::string>& names,
                                  const std::vector<std::string>& classes, Evaluation& result) {
  std::map<std::string, int> number;
  for (std::size_t k = 0; k < classes.size(); ++k) number.emplace(classes[k], static_cast<int>(k));
  std::vector<Sample> known;
  for (Sample& sample : samples) {
    const std::string& name = names[static_cast<std::size_t>(sample.labels.front())];
    const auto found = number.find(name);
    if (found == number.end()) {
      ++result.unknown_photos;
      if (std::ranges::find(result.unknown_labels, name) == result.unknown_labels.end()) result.unknown_labels.push_back(name);
      continue;
    }
    sample.labels = {found->second};
    known.push_back(std::move(sample));
  }
  return known;
}

Result<void> write_report(const Context& context, const Device& device, Model& model, const std::filesystem::path& path,
                          const training::LabelledTable& logits, std::span<const Sample> samples, const Evaluation& result,
                          const EvaluateOptions& options, const std::filesystem::path& data) {
  FOVEA_ASSIGN(report::Input input, training::report_input(context, device, model, path, logits, samples, result));
  const std::string worth = !result.seen                  ? "It holds for such photos if the network was not trained on them."
                            : result.seen->caveat.empty() ? "None of them had a part in making the model."
                                                          : result.seen->caveat;
  input.worth = fmt::format("Measured on {}{}. {}", data.string(), options.split.empty() ? "" : ", " + options.split, worth);
  return write_file_atomically(options.report, report::to_html(input));
}

Evaluation evaluate_label_sets(const Model& model, const training::LabelledTable& out, const std::vector<Sample>& samples) {
  const std::vector<float> probabilities = training::label_probabilities(out.table, model.calibration.temperature);
  const std::vector<std::uint8_t> targets = training::targets_of(out.index, samples, model.spec.classes);
  const training::LabelSetPredictions predictions{probabilities, targets, model.classes.size()};
  const std::vector<std::uint8_t> answered = training::decide(predictions, model.thresholds);
  Evaluation result = training::evaluation_of(predictions, answered, model.thresholds, model.classes);
  result.wrong = training::wrong_photos(predictions, answered, out.index, samples, model.classes);
  return result;
}

Evaluation evaluate_classes(const Model& model, const training::LabelledTable& out, const std::vector<Sample>& samples, int top) {
  const std::vector<float> probabilities = training::probabilities_of(out.table, model.calibration);
  const training::Predictions predictions{probabilities, out.labels};
  Evaluation result = training::evaluation_of(predictions, model.classes, top);
  result.wrong = training::wrong_photos(predictions, out.index, samples, model.classes);
  return result;
}

}  // namespace

Result<Evaluation> evaluate(const std::filesystem::path& model_path, const std::filesystem::path& data_path,
                            const EvaluateOptions& options, TrainObserver* observer) {
  training::Reporter reporter(observer);
  if (options.top < 1) return fail(Error::Kind::kUsage, "top {}: expected at least 1", options.top);
  if (!options.report.empty()) FOVEA_TRY(report::check_page_name(options.report));
  FOVEA_ASSIGN(Device device, open_device(options.device));
  reporter.choice({"device", device.name, device.reason});
  FOVEA_ASSIGN(Model model, load_model(model_path));
  FOVEA_ASSIGN(Dataset data, scan_dataset(data_path, {.strict = options.strict, .multi_label = model.multi_label()}));
  if (data.multi_label && !model.multi_label()) {
    return fail(Error::Kind::kUsage, "{}: photos with several labels, and {} answers with one class: expected one label a photo",
                data_path.string(), model_path.string());
  }
  for (const std::string& note : data.notes) reporter.note(note);
  reporter.skipped(data.missing);
  const std::string split = split_of(data, options.split);
  if (split != "train" && split != "val" && split != "test") {
    return fail(Error::Kind::kUsage, "split '{}': expected train, val or test", split);
  }
  if (samples_in(data, split).empty()) {
    return fail(Error::Kind::kUsage, "{}: no photo in a split '{}': {} to train, {} to validate, {} to test", data_path.string(),
                split, data.train.size(), data.val.size(), data.test.size());
  }
  std::vector<Sample> chosen = std::move(samples_in(data, split));
  const std::vector<Sample> none = std::move(samples_in(data.none, split));
  Evaluation counted;
  const auto known = model.multi_label() ? known_label_sets : known_samples;
  const std::vector<Sample> samples = known(std::move(chosen), data.classes, model.classes, counted);
  if (samples.empty()) {
    return fail(Error::Kind::kUsage, "{}: no photo of a class that {} knows: {} have other labels, such as '{}'; it knows {}",
                data_path.string(), model_path.string(), counted.unknown_photos,
                counted.unknown_labels.empty() ? "" : counted.unknown_labels.front(), some_of(model.classes));
  }
  Context context;
  context.threads = options.threads > 0 ? options.threads : available_processors();
  context.deterministic = options.deterministic;
  context.stop = options.stop;
  context.folders = std::make_shared<NamedFolders>(folders_of(data));
  const auto ended = [&](const Error& error) { return context.why_ended(error, ": val again when it is there"); };
  context.tuning = machine_tuning(fovea::Tuning::Mode::kMeasure);

  reporter.begin_stage("val", static_cast<std::int64_t>(samples.size()));
  const training::PhotoRows rows(context, samples, model.preprocess, options.strict);
  FOVEA_ASSIGN(auto logits, training::Inference::create(context, *device.backend, model.spec, model.parameters, "logits",
                                                        model.rejection.has_value()));
  const auto ran = rows.run_once(logits, reporter);
  if (!ran) return ended(ran.error());
  const training::LabelledTable& out = *ran;
  Evaluation result =
      model.multi_label() ? evaluate_label_sets(model, out, samples) : evaluate_classes(model, out, samples, options.top);
  result.seen = seen_before(context, model, samples);
  result.unknown_labels = std::move(counted.unknown_labels);
  result.unknown_photos = counted.unknown_photos;
  if (const auto measured = measure_rejection(context, model, logits, out, none, options.strict, reporter, result); !measured)
    return ended(measured.error());
  if (result.multi_label) reporter.measure_by(Measure::kMeanAveragePrecision);
  reporter.end_stage(result.multi_label ? result.multi_label->mean_average_precision : result.accuracy);
  result.skipped = std::move(reporter.report().skipped);
  result.seconds = reporter.seconds();
  if (!options.report.empty()) {
    FOVEA_TRY(write_report(context, device, model, model_path, out, samples, result, options, data_path));
  }
  return result;
}

}  // namespace fovea
