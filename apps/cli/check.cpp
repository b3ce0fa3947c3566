// SPDX-License-Identifier: Apache-2.0
#include "fovea/check.h"

#include <fmt/format.h>

#include "check_text.h"
#include "fovea/figures.h"
#include "signals.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct CheckFlags {
  CheckOptions options;
  int most = 10;
  ComputeFlags compute;
  OutputFlags output;
};

class CheckView final : public TrainObserver {
 public:
  explicit CheckView(Console& console) : console_(console) {}
  void on_stage_started(std::string_view stage) override { console_.busy(stage); }
  void on_progress(const Progress& progress) override { console_.progress(progress); }
  void on_choice(const Choice& choice) override { console_.tell(choice); }
  void on_note(std::string_view text) override { console_.note(wrapped(fmt::format("note: {}", text), 78, 6)); }

 private:
  Console& console_;
};

int check_verb(CheckFlags& flags) {
  Console console("check", flags.output);
  CheckView view(console);
  CheckOptions& options = flags.options;
  hand_on(flags.compute, options);
  options.stop = &stop_on_signals();
  const auto report = check(options, &view);
  if (!report) return console.fail(report.error());
  if (console.json()) {
    print_check_json(console, *report);
  } else {
    print_check(console, *report, options.data, flags.most);
    console.note(fmt::format("{}; in {}",
                             report->needs_a_person() ? "some of this needs a person to decide" : "nothing that must be settled",
                             duration(report->seconds)));
  }
  return report->needs_a_person() ? kSomeFailed : kDone;
}

}  // namespace

Run add_check(CLI::App& app) {
  auto flags = std::make_shared<CheckFlags>();
  CheckOptions& options = flags->options;
  app.description(
      "What is wrong, or looks wrong, with labelled photos. Changes nothing.\n"
      "Exit status 1: files that cannot be used, copies across splits or classes, or\n"
      "classes without a training photo. Labels that look wrong are an opinion and\n"
      "leave it at 0.\n\n"
      "  fovea check skies\n"
      "  fovea check skies --html skies.html");
  app.add_option("DATA", options.data, "class folders; train/ and val/ of those; or a CSV 'path,label[,split]'")->required();
  app.add_flag_callback(
      "--no-network", [&options] { options.network = false; }, "do not look at labels, which needs a pretrained network");
  app.add_option("--arch", options.arch, "the network that looks at labels")->type_name("NAME")->capture_default_str();
  app.add_option("--weights", options.weights, "its pretrained weights: .safetensors, .pt or .pth")->type_name("FILE");
  add_choice<FitChoice>(app, "--fit", options.fit,
                        {{"letterbox", FitChoice::kLetterbox}, {"crop", FitChoice::kCrop}, {"squash", FitChoice::kSquash}},
                        "how a photo becomes a square [crop]");
  app.add_option("--html", options.contact_sheet, "a page of what the network sees, suspicious photos first")->type_name("FILE");
  app.add_option("--list", flags->most, "lines of each kind of finding; 0: all")
      ->check(whole_number(0, 1000000000))
      ->capture_default_str();
  add_seed(app, options.seed, "of the folds that labels are predicted in");
  add_compute_flags(app, flags->compute);
  add_output_flags(app, flags->output);
  return [flags] { return check_verb(*flags); };
}

}  // namespace fovea::cli
