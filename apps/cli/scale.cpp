// SPDX-License-Identifier: Apache-2.0
#include "fovea/scale.h"

#include <fmt/format.h>

#include "amount.h"
#include "console.h"
#include "fovea/figures.h"
#include "signals.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct ScaleFlags {
  ScaleOptions options;
  bool no_page = false;
  ComputeFlags compute;
  OutputFlags output;
};

/// Lines for a till; a reader that has gone ends the run.
class ScaleView final : public ScaleObserver {
 public:
  explicit ScaleView(Console& console) : console_(console) {}
  bool on_reading(const ScaleReading& reading) override { return print(json_line(reading)); }
  bool on_choice(const ScaleChoice& choice) override { return print(json_line(choice)); }
  void on_note(std::string_view text) override { console_.note(wrapped(text, 78, 2)); }
  void on_warning(std::string_view text) override { console_.warn(text); }

 private:
  bool print(const std::string& line) {
    console_.print(line);
    return !console_.closed();
  }
  Console& console_;
};

std::string summary(const ScaleTotals& t) {
  std::string text = fmt::format("{}, {}", counted(t.pictures, "picture"), counted(t.items, "item"));
  const auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(t.choices, "named by customers");
  add(t.photos_kept, "kept as photos");
  add(t.photos_not_kept, "not kept");
  add(t.camera_faults, t.camera_faults == 1 ? "time without the camera" : "times without the camera");
  add(t.weight_faults, t.weight_faults == 1 ? "time without the scale" : "times without the scale");
  return text;
}

int scale_verb(ScaleFlags& flags) {
  Console console("scale", flags.output);
  ScaleOptions& options = flags.options;
  options.page = !flags.no_page;
  hand_on(flags.compute, options);
  options.stop = &stop_on_signals();
  options.reload = &reload_on_signal();
  ScaleView view(console);
  const auto totals = scale(options, &view);
  if (!totals) return console.fail(totals.error());
  console.note(summary(*totals));
  if (totals->photos_kept > 0) {
    console.note(fmt::format("train with them: fovea train DATA --add {} -o MODEL", options.corrections.string()));
  }
  if (totals->pictures == 0) return kNothingDone;
  return totals->camera_faults + totals->weight_faults + totals->photos_not_kept > 0 ? kSomeFailed : kDone;
}

void add_weight(CLI::App& app, WeightOptions& weight) {
  app.add_option("--weight", weight.device, "a serial scale (/dev/ttyUSB0) or a USB weighing device (/dev/hidraw0)")
      ->type_name("DEVICE");
  app.add_option("--weight-baud", weight.baud, "of a serial scale")->capture_default_str();
  app.add_option("--weight-ask", weight.ask, "what asks a serial scale for a weight, such as W or SI; else it speaks unasked")
      ->type_name("WORD");
  add_choice<WeightUnit>(
      app, "--weight-unit", weight.unit,
      {{"g", WeightUnit::kGram}, {"kg", WeightUnit::kKilogram}, {"oz", WeightUnit::kOunce}, {"lb", WeightUnit::kPound}},
      "of weights that come without one [kg]");
  app.add_option("--least", weight.least_g, "grams from which on something lies there")
      ->check(above_zero())
      ->capture_default_str();
}

void add_page(CLI::App& app, ScaleFlags& flags) {
  ScaleOptions& options = flags.options;
  app.add_flag("--no-page", flags.no_page, "no web page, only the lines");
  app.add_option("--port", options.port, "of the page; 0: any free one")->check(whole_number(0, 65535))->capture_default_str();
  app.add_option("--bind", options.bind, "who may open the page: this computer alone; 0.0.0.0: everybody in the network")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--host", options.hosts, "a further name of this computer, as browsers write it")->type_name("NAME");
}

}  // namespace

Run add_scale(CLI::App& app) {
  auto flags = std::make_shared<ScaleFlags>();
  ScaleOptions& options = flags->options;
  app.description(
      "A checkout scale with a camera: what lies on it, as a page and as JSON lines.\n\n"
      "  fovea scale weather.safetensors timelapse\n"
      "  fovea scale weather.safetensors /dev/video0 --corrections corrections\n"
      "  fovea scale weather.safetensors 'command:rpicam-vid -t0 -n --codec mjpeg -o -'\n\n"
      "A line for each change: nothing, changing, sure, unsure, or unknown (not one of\n"
      "the classes), with the three most probable classes; and one for each choice of a\n"
      "customer. Goes on when the camera or the scale is unplugged. SIGTERM or Ctrl-C\n"
      "ends it; SIGHUP reads the model anew.");
  app.add_option("MODEL", options.model, "a model made by 'fovea train', or an Ultralytics classification checkpoint")
      ->required();
  app.add_option("CAMERA", options.camera,
                 "/dev/video0, rtsp://..., 'command:...' that prints JPEGs; or a video file, or a folder of photos to show")
      ->required();
  app.add_option("--empty", options.empty, "a picture of the empty scale; else the first second at rest shows it")
      ->type_name("PHOTO");
  app.add_option("--sure", options.sure_at, "probability from which an answer is sure")->capture_default_str();
  add_page(app, *flags);
  app.add_option("--corrections", options.corrections, "folder for photos that customers have named, for the next training")
      ->type_name("FOLDER");
  add_amount(app, "--most", kSizes, "2G", "of those photos together [2G]",
             [&options](double bytes) { options.most_bytes = static_cast<std::int64_t>(bytes); });
  add_weight(app, options.weight);
  add_amount(app, "--hold", kTimes, "2s", "for which each photo of a folder is shown [2s]",
             [&options](double s) { options.hold = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * s)); });
  app.add_flag("--loop", options.loop, "begin a video or folder anew at its end");
  add_compute_flags(app, flags->compute);
  add_output_flags(app, flags->output);
  return [flags] { return scale_verb(*flags); };
}

}  // namespace fovea::cli
