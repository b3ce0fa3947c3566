// SPDX-License-Identifier: Apache-2.0
#include "fovea/annotate.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/figures.h"
#include "signals.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct AnnotateFlags {
  AnnotateOptions options;
  ComputeFlags compute;
  OutputFlags output;
};

void show_progress(Console& console, const AnnotateProgress& at) {
  Progress progress;
  progress.stage = "frames";
  progress.done = at.frames;
  if (at.total_seconds && at.seconds > 0) {
    const double share = std::min(1.0, at.seconds / *at.total_seconds);
    progress.total = static_cast<std::int64_t>(static_cast<double>(at.frames) / share);
  }
  progress.keep_time(at.elapsed_s);
  console.progress(progress);
}

void show(Console& console, const AnnotateOptions& options, const AnnotateReport& report) {
  if (console.json()) {
    console.print_json({{"frames", report.frames},
                        {"classified", report.classified},
                        {"seconds", report.seconds},
                        {"elapsed_seconds", report.elapsed_s},
                        {"stopped", report.stopped},
                        {"codec", report.video_codec},
                        {"device", report.device},
                        {"notes", report.notes}});
    return;
  }
  console.note(wrapped("device: " + report.device, 78, 2));
  for (const std::string& note : report.notes) console.warn(note);
  console.note(fmt::format("{} of {} video in {}: {:.1f} a second{}", counted(report.frames, "frame"), duration(report.seconds),
                           duration(report.elapsed_s), static_cast<double>(report.frames) / std::max(1e-9, report.elapsed_s),
                           report.stopped ? "; stopped on request" : ""));
  for (const std::string& written : {options.output, options.csv.string(), options.jsonl.string(), options.timeline.string()}) {
    if (!written.empty() && written != "-") console.print(written);
  }
}

int run_annotate(AnnotateFlags& flags) {
  Console console("annotate", flags.output);
  flags.options.classifier = {flags.compute.device, flags.compute.threads, flags.compute.deterministic};
  flags.options.stop = &stop_on_signals();
  const auto report = annotate(flags.options, [&](const AnnotateProgress& at) { show_progress(console, at); });
  console.clear_progress();
  if (!report) return console.fail(report.error());
  if (flags.options.output == "-" && console.json()) return kDone;  // standard output holds the video
  show(console, flags.options, *report);
  return report->stopped ? kSomeFailed : kDone;
}

}  // namespace

Run add_annotate(CLI::App& app) {
  auto flags = std::make_shared<AnnotateFlags>();
  AnnotateOptions& options = flags->options;
  app.description(
      "The video with what the model sees written on it.\n\n"
      "  fovea annotate weather.safetensors timelapse/frame-%04d.jpg --fps 2 -o sky.mp4\n"
      "  fovea annotate weather.safetensors sky.mp4 --csv sky.csv --timeline sky.png");
  app.add_option("MODEL", options.model, "a model made by 'fovea train'")->required();
  app.add_option("VIDEO", options.input,
                 "a file, a stream's URL, a camera (/dev/video0), numbered pictures (name-%04d.jpg), or -")
      ->required();
  app.add_option("-o,--output", options.output, "the annotated video; -: standard output")->type_name("FILE");
  app.add_option("--container", options.container, "H.264 or VP9; by the name of the output if not given")
      ->check(one_of({"mp4", "webm"}))
      ->type_name("mp4|webm");
  app.add_option("--csv", options.csv, "a line a frame: raw and smoothed probabilities")->type_name("FILE");
  app.add_option("--jsonl", options.jsonl, "the same, a JSON object a line")->type_name("FILE");
  app.add_option("--timeline", options.timeline, "the whole clip as one strip (PNG)")->type_name("FILE");
  app.add_option("--every", options.every, "classify every Nth frame")->check(whole_number(1, 1000000))->capture_default_str();
  app.add_option("--smooth", options.smooth_s, "seconds over which what is drawn is smoothed; 0: not")
      ->check(zero_or_more())
      ->capture_default_str();
  app.add_option("--bars", options.bars, "classes that are drawn, at most")->check(whole_number(1, 1000))->capture_default_str();
  app.add_option("--fps", options.frames_per_second, "frames a second of numbered pictures; 25 if not given")
      ->check(above_zero());
  app.add_flag_callback(
      "--no-sound", [&options] { options.sound = false; }, "leave the sound out");
  add_compute_flags(app, flags->compute);
  add_output_flags(app, flags->output);
  return [flags] { return run_annotate(*flags); };
}

}  // namespace fovea::cli
