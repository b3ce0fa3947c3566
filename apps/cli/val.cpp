// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/evaluate.h"
#include "fovea/figures.h"
#include "multi_label_json.h"
#include "signals.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct ValFlags {
  std::filesystem::path model;
  std::filesystem::path data;
  EvaluateOptions options;
  int mistakes = 5;
  ComputeFlags compute;
  OutputFlags output;
};

class ValView final : public TrainObserver {
 public:
  explicit ValView(Console& console) : console_(console) {}
  void on_stage_started(std::string_view stage) override { console_.busy(stage); }
  void on_progress(const Progress& progress) override { console_.progress(progress); }
  void on_skipped(const SkippedPhoto& photo) override {
    console_.warn(fmt::format("skipped {}: {}", photo.path.string(), photo.reason));
  }
  void on_choice(const Choice& choice) override { console_.tell(choice); }
  void on_note(std::string_view text) override {
    if (console_.verbose()) console_.note(text);
  }
  void on_warning(std::string_view text) override { console_.warn(text); }

 private:
  Console& console_;
};

/// A figure of a class, which one without photos does not have.
std::string figure(const ClassMetrics& c, double share) { return c.photos > 0 ? percent(share) : "-"; }

void print_classes(Console& console, const Evaluation& result) {
  std::size_t width = 5;
  for (const ClassMetrics& c : result.classes) width = std::max(width, columns(c.name));
  width = std::min<std::size_t>(width, 32);
  console.print("");
  console.print(fmt::format("{}  {:>7}  {:>9}  {:>7}  {:>7}", fitted("class", width), "photos", "precision", "recall", "F1"));
  for (const ClassMetrics& c : result.classes) {
    console.print(fmt::format("{}  {:>7}  {:>9}  {:>7}  {:>7}", fitted(c.name, width), c.photos, figure(c, c.precision),
                              figure(c, c.recall), figure(c, c.f1)));
  }
}

std::string without_blanks_behind(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// Rows are what the photos show, columns what the model said. A table of many classes would not fit a screen.
void print_confusion(Console& console, const Evaluation& result) {
  constexpr std::size_t kMostClasses = 12;
  if (result.classes.size() > kMostClasses) return;
  const std::size_t cell = std::clamp<std::size_t>(56 / std::max<std::size_t>(result.classes.size(), 1), 5, 12);
  std::string header = fitted("shown as", 20);
  for (const ClassMetrics& c : result.classes) header += " " + fitted(c.name, cell);
  console.print("");
  console.print(without_blanks_behind(header));
  for (std::size_t row = 0; row < result.confusion.size(); ++row) {
    std::string line = fitted(result.classes[row].name, 20);
    for (const std::int64_t count : result.confusion[row]) line += " " + fitted(count == 0 ? "." : std::to_string(count), cell);
    console.print(without_blanks_behind(line));
  }
}

void print_mistakes(Console& console, const Evaluation& result, int mistakes) {
  if (mistakes == 0 || result.wrong.empty()) return;
  console.print("");
  console.print("surest mistakes");
  const auto said = [](const std::string& labels) { return labels.empty() ? std::string("nothing") : labels; };
  for (const WrongPhoto& wrong :
       std::span(result.wrong).first(std::min(result.wrong.size(), static_cast<std::size_t>(mistakes)))) {
    console.print(fmt::format("  {:>7} {} instead of {}: {}", percent(wrong.probability), said(wrong.predicted),
                              said(wrong.label), in_line(wrong.path.string())));
  }
}

void print_caveat(Console& console, const Evaluation& result) {
  if (result.seen && !result.seen->caveat.empty()) console.print(result.seen->caveat);
}

void print_label_sets(Console& console, const Evaluation& result, int mistakes) {
  const MultiLabelFigures& figures = *result.multi_label;
  console.print(fmt::format("mean average precision {} on {} (95 % interval {} to {})", percent(figures.mean_average_precision),
                            counted(result.photos, "photo"), percent(figures.interval.low), percent(figures.interval.high)));
  print_caveat(console, result);
  console.print(fmt::format("by chance it would be {}", percent(figures.chance)));
  console.print(fmt::format("F1 {} of all labels together, {} as the mean of the classes", percent(figures.micro_f1),
                            percent(figures.macro_f1)));
  console.print(fmt::format("{} of the photos exactly right (95 % interval {} to {})", percent(figures.exact_match),
                            percent(result.interval.low), percent(result.interval.high)));
  console.print(fmt::format("calibration error {}, log loss {:.3f}", percent(result.calibration_error), result.log_loss));
  std::size_t width = 5;
  for (const ClassMetrics& c : result.classes) width = std::max(width, columns(c.name));
  width = std::min<std::size_t>(width, 24);
  console.print("");
  console.print(fmt::format("{}  {:>7}  {:>9}  {:>7}  {:>7}  {:>7}  {:>6}", fitted("class", width), "photos", "precision",
                            "recall", "F1", "AP", "from"));
  for (const ClassMetrics& c : result.classes) {
    console.print(fmt::format("{}  {:>7}  {:>9}  {:>7}  {:>7}  {:>7}  {:>6}", fitted(c.name, width), c.photos,
                              figure(c, c.precision), figure(c, c.recall), figure(c, c.f1),
                              figure(c, c.average_precision.value_or(0)), percent(c.threshold.value_or(0))));
  }
  print_mistakes(console, result, mistakes);
}

void print_result(Console& console, const Evaluation& result, int mistakes) {
  if (result.multi_label) return print_label_sets(console, result, mistakes);
  console.print(fmt::format("{} right of {} (95 % interval {} to {})", percent(result.accuracy), counted(result.photos, "photo"),
                            percent(result.interval.low), percent(result.interval.high)));
  print_caveat(console, result);
  if (static_cast<std::size_t>(result.top) < result.classes.size()) {
    console.print(fmt::format("{} with the label among the top {}", percent(result.top_accuracy), result.top));
  }
  console.print(fmt::format("each class counting the same: {} right, mean F1 {}", percent(result.balanced_accuracy),
                            percent(result.macro_f1)));
  console.print(fmt::format("calibration error {}, log loss {:.3f}", percent(result.calibration_error), result.log_loss));
  if (result.rejected) {
    std::string line = fmt::format("{} wrongly called unknown", percent(*result.rejected));
    if (result.none_rejected) {
      line += fmt::format("; {} of {} of none of the classes called so", percent(*result.none_rejected),
                          counted(result.none_photos, "photo"));
    }
    console.print(line);
  }
  print_classes(console, result);
  print_confusion(console, result);
  if (!result.coverage.empty()) {
    console.print("");
    console.print("answering only when sure");
    for (const CoveragePoint& point : result.coverage) {
      console.print(fmt::format("  from {:>7} on: {:>7} answered, {:>7} of those right", percent(point.threshold),
                                percent(point.coverage), percent(point.accuracy)));
      if (point.accuracy == 1) break;  // surer ones are right too
    }
  }
  print_mistakes(console, result, mistakes);
}

nlohmann::ordered_json or_null(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

void print_json(Console& console, const Evaluation& result) {
  for (const WrongPhoto& wrong : result.wrong) {
    console.print_json({{"event", "wrong"},
                        {"path", wrong.path.string()},
                        {"label", wrong.label},
                        {"predicted", wrong.predicted},
                        {"probability", wrong.probability}});
  }
  for (const SkippedPhoto& photo : result.skipped)
    console.print_json({{"event", "skipped"}, {"path", photo.path.string()}, {"reason", photo.reason}});
  nlohmann::ordered_json classes = nlohmann::ordered_json::array();
  for (const ClassMetrics& c : result.classes) {
    // A class without photos has no such figures: a zero would be taken for a bad one.
    const auto or_none = [&](double share) { return or_null(c.photos > 0 ? std::optional(share) : std::nullopt); };
    classes.push_back({{"name", c.name},
                       {"photos", c.photos},
                       {"precision", or_none(c.precision)},
                       {"recall", or_none(c.recall)},
                       {"f1", or_none(c.f1)}});
    if (c.average_precision) classes.back()["average_precision"] = *c.average_precision;
    if (c.threshold) classes.back()["threshold"] = *c.threshold;
  }
  nlohmann::ordered_json coverage = nlohmann::ordered_json::array();
  for (const CoveragePoint& p : result.coverage)
    coverage.push_back({{"threshold", p.threshold}, {"coverage", p.coverage}, {"accuracy", p.accuracy}});
  nlohmann::ordered_json object{{"event", "result"},
                                {"accuracy", result.accuracy},
                                {"photos", result.photos},
                                {"interval", {result.interval.low, result.interval.high}},
                                {"top", result.top},
                                {"top_accuracy", result.top_accuracy},
                                {"log_loss", result.log_loss},
                                {"calibration_error", result.calibration_error},
                                {"balanced_accuracy", result.balanced_accuracy},
                                {"macro_f1", result.macro_f1},
                                {"rejected", or_null(result.rejected)},
                                {"none_photos", result.none_photos},
                                {"none_rejected", or_null(result.none_rejected)},
                                {"classes", classes},
                                {"confusion", result.confusion},
                                {"coverage", coverage},
                                {"unknown_labels", result.unknown_labels},
                                {"unknown_photos", result.unknown_photos},
                                {"skipped", result.skipped.size()},
                                {"seconds", result.seconds}};
  if (const auto& seen = result.seen) {
    object["seen"] = {{"learned", seen->learned}, {"judged", seen->judged}, {"chose", seen->chose}, {"caveat", seen->caveat}};
  }
  if (result.multi_label) object["multi_label"] = label_set_json(*result.multi_label);
  console.print_json(object);
}

int val(ValFlags& flags) {
  Console console("val", flags.output);
  ValView view(console);
  hand_on(flags.compute, flags.options);
  flags.options.stop = &stop_on_signals();
  const auto result = evaluate(flags.model, flags.data, flags.options, &view);
  if (!result) return console.fail(result.error());
  if (result->unknown_photos > 0) {
    console.warn(fmt::format("{} left out: the model does not know {}", counted(result->unknown_photos, "photo"),
                             fmt::join(result->unknown_labels, ", ")));
  }
  if (console.json()) {
    print_json(console, *result);
  } else {
    print_result(console, *result, flags.mistakes);
    if (!flags.options.report.empty()) console.note(fmt::format("report in {}", flags.options.report.string()));
    console.note(fmt::format("in {}", duration(result->seconds)));
  }
  return result->skipped.empty() ? kDone : kSomeFailed;
}

}  // namespace

Run add_val(CLI::App& app) {
  auto flags = std::make_shared<ValFlags>();
  app.description(
      "How good a model is on photos with known labels.\n\n"
      "  fovea val weather.safetensors new");
  app.add_option("MODEL", flags->model, "a model made by 'fovea train', or an Ultralytics classification checkpoint")->required();
  app.add_option("DATA", flags->data, "class folders; train/ and val/ of those; or a CSV 'path,label[,split]'")->required();
  app.add_option("--split", flags->options.split, "photos to look at; val if not given, or everything where there are no splits")
      ->check(one_of({"train", "val", "test"}))
      ->type_name("train|val|test");
  app.add_option("--top", flags->options.top, "the k of top-k accuracy")->check(whole_number(1, 100000))->capture_default_str();
  app.add_option("--batch", flags->options.batch, "photos computed together")
      ->check(whole_number(1, 4096))
      ->capture_default_str();
  app.add_option("--mistakes", flags->mistakes, "how many of the surest mistakes to list")
      ->check(whole_number(0, 100000))
      ->capture_default_str();
  app.add_option("--report", flags->options.report, "also write it all as one HTML file, with pictures of the worst mistakes")
      ->type_name("FILE");
  app.add_flag("--strict", flags->options.strict, "the first unreadable photo ends the run");
  add_compute_flags(app, flags->compute);
  add_output_flags(app, flags->output);
  return [flags] { return val(*flags); };
}

}  // namespace fovea::cli
