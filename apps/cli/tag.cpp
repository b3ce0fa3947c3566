// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/archive.h"
#include "fovea/figures.h"
#include "signals.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct TagFlags {
  TagOptions options;
  std::vector<std::string> names;
  bool embed = false;
  bool sidecar = false;
  ComputeFlags compute;
  OutputFlags output;
};

/// "97.1 %", or of any number of labels each one's.
std::string sureness(const Answer& answer) {
  std::vector<std::string> shares;
  shares.reserve(answer.labels.size());
  for (const Prediction& p : answer.labels) shares.push_back(percent(p.probability));
  return shares.empty() ? percent(answer.top().probability) : fmt::format("{}", fmt::join(shares, ", "));
}

class TagView final : public ArchiveObserver {
 public:
  TagView(Console& console, bool dry_run) : console_(console), dry_run_(dry_run) {}

  void on_photo(const TaggedPhoto& photo) override {
    if (console_.json()) {
      nlohmann::ordered_json predictions = nlohmann::ordered_json::array();
      for (const Prediction& p : photo.answer.predictions)
        predictions.push_back({{"label", p.label}, {"probability", p.probability}});
      nlohmann::ordered_json line{{"path", photo.path.string()},
                                  {"keywords", photo.keywords},
                                  {"rejected", photo.answer.rejected},
                                  {"predictions", predictions},
                                  {"written", photo.written.string()}};
      if (!photo.remark.empty()) line["remark"] = photo.remark;
      console_.print_json(line);
      return;
    }
    if (dry_run_ || console_.verbose()) {
      const Prediction& top = photo.answer.top();
      const std::string what = !photo.keywords.empty()
                                   ? fmt::format("{} ({})", fmt::join(photo.keywords, ", "), sureness(photo.answer))
                               : photo.answer.rejected ? std::string("none: like none of the classes")
                                                       : fmt::format("none: {} {}", percent(top.probability), top.label);
      const std::string where = photo.written.empty() ? "nothing to write" : "-> " + photo.written.filename().string();
      console_.print(fmt::format("{}  {}  {}", in_line(photo.path.string()), what, in_line(where)));
    }
    if (!photo.remark.empty()) console_.note(fmt::format("{}: into a sidecar: {}", in_line(photo.path.string()), photo.remark));
  }

  void on_failure(const std::filesystem::path& photo, const Error& error) override {
    if (console_.json()) console_.print_json({{"path", photo.string()}, {"error", error.message}});
    console_.error(error.message);
  }

  void on_progress(const Progress& progress) override { console_.progress(progress); }
  void on_note(std::string_view text) override { console_.note(text.starts_with("device:") ? wrapped(text, 78, 2) : text); }

 private:
  Console& console_;
  bool dry_run_;
};

Result<void> read_names(TagFlags& flags) {
  for (const std::string& name : flags.names) {
    const std::size_t equals = name.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{Error::Kind::kUsage, fmt::format("--map {}: expected CLASS=KEYWORD, such as cloudy=Weather/Cloudy", name)};
    }
    flags.options.names[name.substr(0, equals)] = name.substr(equals + 1);
  }
  return {};
}

std::string summary(const TagReport& report, bool dry_run) {
  std::string text = fmt::format("{}: {} {}, {} without a sure class", counted(report.photos, "photo"), report.tagged,
                                 dry_run ? "would be tagged" : "tagged", report.without);
  if (report.unchanged > 0) text += fmt::format(", {} unchanged since last time", report.unchanged);
  if (report.failed > 0) text += fmt::format(", {} left alone", report.failed);
  text += "; in " + duration(report.seconds);
  const std::int64_t looked = report.tagged + report.without + report.failed;
  if (looked > 1 && report.seconds > 0) text += fmt::format(", {:.0f} a second", static_cast<double>(looked) / report.seconds);
  return text;
}

int tag(TagFlags& flags) {
  Console console("tag", flags.output);
  if (const auto read = read_names(flags); !read) return console.fail(read.error());
  TagOptions& options = flags.options;
  options.write_to = flags.embed ? WriteTo::kEmbed : WriteTo::kSidecar;
  hand_on(flags.compute, options);
  options.stop = &stop_on_signals();
  TagView view(console, options.dry_run);
  const auto report = tag_photos(options, &view);
  if (!report) return console.fail(report.error());
  if (report->photos == 0)
    return console.fail({Error::Kind::kNotFound, fmt::format("{}: no photo there", options.paths.front().string())});
  console.note(summary(*report, options.dry_run));
  if (report->stopped) console.warn("stopped; the same command goes on from here");
  if (report->failed == 0 && !report->stopped) return kDone;
  return report->tagged + report->without + report->unchanged > 0 ? kSomeFailed : kNothingDone;
}

}  // namespace

Run add_tag(CLI::App& app) {
  auto flags = std::make_shared<TagFlags>();
  TagOptions& options = flags->options;
  app.description(
      "What photos show, as keywords in their metadata: into an XMP file beside each\n"
      "(the default), or into the photos themselves. Photos that have not changed since\n"
      "are not read again, and an interrupted run goes on. 'fovea untag' takes it back.\n\n"
      "  fovea tag weather.safetensors new\n"
      "  fovea tag weather.safetensors new --map cloudy=Weather/Cloudy --dry-run");
  app.add_option("MODEL", options.model, "a model made by 'fovea train', or an Ultralytics classification checkpoint")
      ->required();
  app.add_option("PATH", options.paths, "photos and folders; links are not followed")->required();
  auto* sidecar = app.add_flag("--sidecar", flags->sidecar, "write photo.jpg.xmp beside photo.jpg (default)");
  app.add_flag("--embed", flags->embed, "write into the photos wherever that is safe")->excludes(sidecar);
  app.add_flag("--dry-run", options.dry_run, "show what would be written; write nothing");
  app.add_option("--min-probability", options.min_probability,
                 "a class below it gives no keyword [0.5; thresholds of the model where it\nfinds any number of labels]")
      ->check(number(0.0, 1.0));
  app.add_option("--map", flags->names, "the keyword of a class, such as cloudy=Weather/Cloudy; 'cloudy=' gives none")
      ->type_name("CLASS=WORD")
      ->allow_extra_args(false);
  app.add_flag("--again", options.again, "also photos that have not changed since");
  app.add_option("--catalog", options.catalog, "the catalogue, if not the user's own")->type_name("FILE");
  add_compute_flags(app, flags->compute);
  add_output_flags(app, flags->output);
  return [flags] { return tag(*flags); };
}

}  // namespace fovea::cli
