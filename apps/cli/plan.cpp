// SPDX-License-Identifier: Apache-2.0
#include "fovea/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/figures.h"
#include "signals.h"
#include "train_flags.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct PlanFlags {
  TrainingPlanOptions options;
  OutputFlags output;
};

/// "0:35", "12:05", "1:02:10": narrow, and comparable down a column.
std::string clock(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole % 3600 / 60, whole % 60);
}

std::string memory(std::int64_t bytes) {
  const double mega = static_cast<double>(bytes) / (1 << 20);
  return mega < 1000 ? fmt::format("{:.0f} M", mega) : fmt::format("{:.1f} G", mega / 1024);
}

nlohmann::ordered_json json_of(const PlannedTime& time) {
  return {{"seconds", time.seconds}, {"processor_seconds", time.processor_seconds}};
}

nlohmann::ordered_json json_of(const NetworkPlan::Estimate& estimate, int epochs) {
  nlohmann::ordered_json object{{"gb_s", estimate.gb_s},
                                {"fp32_tflops", estimate.fp32_tflops},
                                {"precision_tflops", estimate.precision_tflops},
                                {"memory_gib", estimate.memory_gib},
                                {"source", estimate.source},
                                {"slow_whole", json_of(estimate.slow_whole)},
                                {"largest_batch", estimate.largest_batch},
                                {"holds_data_set", estimate.holds_data_set}};
  if (epochs > 0) {
    object["slow_steps_per_second"] = estimate.slow_steps_per_second;
    object["slow_epoch"] = json_of(estimate.slow_epoch);
  }
  return object;
}

nlohmann::ordered_json json_of(const NetworkPlan& plan, int epochs) {
  nlohmann::ordered_json object{{"event", "network"}, {"arch", plan.arch}, {"device", plan.device}, {"size", plan.size}};
  if (plan.usual_size) object["usual_size"] = *plan.usual_size;
  if (!plan.not_measured.empty()) {
    object["not_measured"] = plan.not_measured;
    return object;
  }
  object["parameters"] = plan.parameters;
  if (plan.published_accuracy) object["published_accuracy"] = *plan.published_accuracy;
  object["weights_here"] = plan.weights_here;
  object["looks_per_second"] = plan.looks_per_second;
  if (epochs > 0) object["steps_per_second"] = plan.steps_per_second;
  if (epochs > 0) object["wait_share"] = plan.wait_share;
  if (epochs > 0) object["precision"] = plan.precision;
  if (epochs > 0) object["precision_reason"] = plan.precision_reason;
  object["memory_bytes"] = plan.memory;
  object["features"] = json_of(plan.features);
  object["first_model"] = json_of(plan.first_model);
  object["refit"] = json_of(plan.refit);
  object["head"] = json_of(plan.head);
  if (epochs > 0) {
    object["trial"] = json_of(plan.trial);
    object["epoch"] = json_of(plan.epoch);
    object["epochs"] = epochs;
  }
  object["whole"] = json_of(plan.whole);
  if (plan.estimate) object["estimate"] = json_of(*plan.estimate, epochs);
  object["advice"] = name_of(plan.advice);
  return object;
}

void print_json(Console& console, const TrainingPlan& plan) {
  for (const NetworkPlan& network : plan.networks) console.print_json(json_of(network, plan.epochs));
  nlohmann::ordered_json unusable = nlohmann::ordered_json::array();
  for (const UnusableDevice& device : plan.unusable) unusable.push_back({{"device", device.name}, {"reason", device.reason}});
  nlohmann::ordered_json object{
      {"event", "done"},       {"train_photos", plan.train_photos},           {"val_photos", plan.val_photos},
      {"epochs", plan.epochs}, {"photos_per_second", plan.photos_per_second}, {"unusable", unusable}};
  if (plan.pick) object["pick"] = plan.networks[*plan.pick].arch;
  object["taken_by_others"] = plan.taken_by_others;
  object["seconds"] = plan.seconds;
  console.print_json(object);
}

/// What the column says to a person; how much more or less time stands beside it.
std::string advice(const NetworkPlan& network, const NetworkPlan* pick) {
  const auto times = [&] { return fmt::format("{:.1f}x", network.whole.seconds / pick->whole.seconds); };
  switch (network.advice) {
    case Advice::kPick: return "this one";
    case Advice::kBetter: return "better, " + times();
    case Advice::kWeaker: return "weaker, " + times();
    case Advice::kPointless: return "no gain, " + times();
    case Advice::kWorthTrying: return "try it, " + times();
    case Advice::kTooLarge: return "memory!";
    case Advice::kIfLarger: return "if it pays";
    case Advice::kNone: break;
  }
  return "";
}

/// The columns between a network's name and the advice; those of fine-tuning only where there is any.
std::string columns_of(const TrainingPlan& plan, const NetworkPlan* network) {
  const auto time = [&](const char* title, const PlannedTime NetworkPlan::*member) {
    return network == nullptr ? title : clock((network->*member).seconds);
  };
  std::string text = fmt::format("{:>5}", time("model", &NetworkPlan::first_model));
  if (plan.epochs > 0) {
    text += fmt::format(" {:>5} {:>5} {:>5}", time("head", &NetworkPlan::head), time("trial", &NetworkPlan::trial),
                        time("epoch", &NetworkPlan::epoch));
  }
  return text +
         fmt::format(" {:>7} {:>6}", time("whole", &NetworkPlan::whole), network == nullptr ? "memory" : memory(network->memory));
}

void print_rows(Console& console, const TrainingPlan& plan) {
  const NetworkPlan* pick = plan.pick ? &plan.networks[*plan.pick] : nullptr;
  bool starred = false;
  console.print(fmt::format("{:<18} {:>3} {}  pick", "network", "px", columns_of(plan, nullptr)));
  for (const NetworkPlan& n : plan.networks) {
    const std::string name = fmt::format("{}{}", n.arch, n.device == "cpu" ? "" : " " + n.device);
    if (!n.not_measured.empty()) {
      console.print(fmt::format("{} {:>3}  {}", fitted(name, 18), n.size, n.not_measured));
      continue;
    }
    starred = starred || !n.weights_here;
    console.print(fmt::format("{} {:>3} {}  {}{}", fitted(name, 18), n.size, columns_of(plan, &n), advice(n, pick),
                              n.weights_here ? "" : " *"));
  }
  if (starred) console.note("* its pretrained weights are not here: train --weights FILE");
}

/// "1:05-2:10" or, from 100 minutes on, "1:02-2:10 h"; one of them where they are alike.
std::string range(double fast, double slow) {
  const bool hours = slow >= 6000;
  const auto text = [&](double seconds) {
    const auto whole = static_cast<std::int64_t>(std::llround(hours ? seconds / 60 : seconds));
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
  };
  return (text(fast) == text(slow) ? text(fast) : text(fast) + "-" + text(slow)) + (hours ? " h" : "");
}

void print_estimates(Console& console, const TrainingPlan& plan) {
  console.print(fmt::format("{:<18} {:>3} {:<11} {:>11} {:>9} {:>11} {:>6} {:>4}", "network", "px", "GPU", "images/s", "epoch",
                            "whole", "memory", "most"));
  for (const NetworkPlan& n : plan.networks) {
    const NetworkPlan::Estimate& e = *n.estimate;
    const bool tunes = plan.epochs > 0;
    console.print(fmt::format("{} {:>3} {} {:>11} {:>9} {:>11} {:>6} {:>4}", fitted(n.arch, 18), n.size, fitted(n.device, 11),
                              tunes ? fmt::format("{:.0f}-{:.0f}", e.slow_steps_per_second, n.steps_per_second) : "-",
                              tunes ? range(n.epoch.seconds, e.slow_epoch.seconds) : "-",
                              range(n.whole.seconds, e.slow_whole.seconds), memory(n.memory), e.largest_batch));
  }
}

/// What was reckoned with and why, once for all rows that have it so.
void tell_precisions(Console& console, const TrainingPlan& plan, PrecisionChoice asked) {
  std::vector<std::string> told;
  for (const NetworkPlan& n : plan.networks) {
    if (n.precision.empty()) continue;
    const std::string_view who = asked == PrecisionChoice::kAuto ? "which --precision auto chooses" : "as asked";
    const std::string line = fmt::format("Reckoned in {} on {}, {}{}{}.", n.precision, n.device, who,
                                         n.precision_reason.empty() ? "" : ": ", n.precision_reason);
    if (std::ranges::find(told, line) != told.end()) continue;
    told.push_back(line);
    console.note(wrapped(line, 78, 2));
  }
}

void explain_estimates(Console& console, const TrainingPlan& plan, PrecisionChoice asked) {
  const auto say = [&](const std::string& text) { console.note(wrapped(text, 78, 2)); };
  say(fmt::format("An estimate, not a measurement: no GPU was used. {} to train on, {} to judge by; whole: the run{}.",
                  counted(plan.train_photos, "photo"), plan.val_photos,
                  plan.epochs > 0 ? fmt::format(" with {}", counted(plan.epochs, "epoch")) : ""));
  say("From what each op moves and computes: at best blocks stay on the chip, at worst every op goes through memory; "
      "three quarters of the memory's rate, two fifths of the tensor units', half of the others'. Most: the largest batch that "
      "fits.");
  say(fmt::format("Reading and decoding as measured here, {:.0f} photos/s; the machine around the GPU may be faster or slower.",
                  plan.photos_per_second));
  std::vector<std::string> told;
  for (const NetworkPlan& n : plan.networks) {
    const NetworkPlan::Estimate& e = *n.estimate;
    if (std::ranges::find(told, n.device) != told.end()) continue;
    told.push_back(n.device);
    const std::string products =
        n.precision.empty() || n.precision == "fp32" ? "" : fmt::format(", {:.0f} in {}", e.precision_tflops, n.precision);
    say(fmt::format("{}: {:.0f} GB/s, {:.0f} TFLOP/s fp32{}, {:.0f} GiB ({}).{}", n.device, e.gb_s, e.fp32_tflops, products,
                    e.memory_gib, e.source,
                    e.holds_data_set ? "" : " The photos do not fit in its memory, and come while it learns."));
  }
  tell_precisions(console, plan, asked);
}

void explain(Console& console, const TrainingPlan& plan, PrecisionChoice asked) {
  const auto say = [&](const std::string& text) { console.note(wrapped(text, 78, 2)); };
  const NetworkPlan* pick = plan.pick ? &plan.networks[*plan.pick] : nullptr;
  std::string photos = fmt::format("{} to train on, {} to judge by", counted(plan.train_photos, "photo"), plan.val_photos);
  if (plan.epochs > 0) {
    say(fmt::format(
        "{}. model: a usable one is there; head: the run, if it ends with the last layer; whole: with a trial and {} of "
        "fine-tuning, which --scope auto leaves out where they do not pay.",
        photos, counted(plan.epochs, "epoch")));
  } else {
    say(fmt::format("{}. model: a usable one is there; whole: the run.", photos));
  }
  tell_precisions(console, plan, asked);
  const bool grows = std::ranges::any_of(plan.networks, [](const NetworkPlan& n) { return n.usual_size.has_value(); });
  if (grows) say("if it pays: a run tries a larger input too; where that clearly wins, it goes on with it.");
  if (pick != nullptr && pick->refit.seconds > 0) {
    say(fmt::format("Where another fit than the usual crop wins, {} more ({}).", duration(pick->refit.seconds), pick->arch));
  }
  if (pick != nullptr && pick->wait_share > kMostWaiting) {
    say(
        fmt::format("Fine-tuning {} would wait {} of the time for photos (more than {}), even from the cache: smaller photos, "
                    "--augment light or more --threads help.",
                    pick->arch, percent(pick->wait_share), percent(kMostWaiting)));
  }
  for (const UnusableDevice& device : plan.unusable) say(fmt::format("Not measured on {}: {}", device.name, device.reason));
  constexpr double kMuch = 0.15;
  if (plan.taken_by_others > kMuch) {
    std::string free;
    if (pick != nullptr) {
      free = fmt::format("; on a free machine the whole run of {} takes about {}", pick->arch,
                         duration(pick->whole.processor_seconds / plan.threads));
    }
    say(fmt::format("Other programs take {} of the processors now; the figures are for as long as they do{}.",
                    percent(plan.taken_by_others), free));
  }
  console.note(
      fmt::format("measured in {}{}", duration(plan.seconds), plan.stopped ? ", and stopped before the other networks" : ""));
}

int plan_verb(PlanFlags& flags) {
  Console console("plan", flags.output);
  TrainingPlanOptions& options = flags.options;
  options.run.stop = &stop_on_signals();
  console.busy("measuring");
  const auto plan = plan_training(options, [&](const NetworkPlan& network) {
    // Every network takes minutes: a person should see that it goes on.
    if (console.json() || !network.not_measured.empty() || network.estimate) return;
    console.note(fmt::format("{} at {}: {:.1f} images/s looked at{}", network.arch, network.size, network.looks_per_second,
                             network.steps_per_second > 0 ? fmt::format(", {:.1f} learned from", network.steps_per_second) : ""));
    console.busy("measuring");
  });
  console.clear_progress();
  if (!plan) return console.fail(plan.error());
  if (console.json()) {
    print_json(console, *plan);
  } else if (!options.gpus.empty()) {
    print_estimates(console, *plan);
    explain_estimates(console, *plan, options.run.precision);
  } else {
    print_rows(console, *plan);
    explain(console, *plan, options.run.precision);
  }
  return kDone;
}

}  // namespace

Run add_plan(CLI::App& app) {
  auto flags = std::make_shared<PlanFlags>();
  TrainingPlanOptions& options = flags->options;
  app.description(
      "How long training would take here, measured on a few real photos and steps.\n\n"
      "  fovea plan skies --arch efficientnet_lite0\n"
      "  fovea plan skies --arch efficientnet_lite0 --arch mobilenet_v2 --scope full\n"
      "  fovea plan skies --arch efficientnet_lite0 --gpu 'RTX 4060 Ti' --gpu H200\n"
      "  fovea plan skies --arch efficientnet_lite0 --gpu H200 --precision tf32");
  app.add_option("DATA", options.run.data, "class folders; train/ and val/ of those; or a CSV 'path,label[,split]'")->required();
  app.add_option("--arch", options.archs, "networks to measure [every one, which takes some minutes]")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--gpu", options.gpus, "estimate for this GPU, which need not be here, such as 'RTX 4060 Ti' or H200")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--seconds", options.seconds_per_network, "to spend on measuring each network, about")
      ->check(above_zero())
      ->capture_default_str();
  add_choice<Scope>(app, "--scope", options.run.scope, {{"auto", Scope::kAuto}, {"head", Scope::kHead}, {"full", Scope::kFull}},
                    "how much of the network learns");
  add_batchnorm(app, options.run.batchnorm);
  add_training_precision(app, options.run.precision);
  add_fit(app, options.run.fit);
  app.add_option("--size", options.run.size, "input side in pixels [that of the network]")->check(whole_number(32, 640));
  app.add_option("--epochs", options.run.epochs, "passes over the photos [what train would choose]")
      ->check(whole_number(1, 100000));
  app.add_option("--batch", options.run.batch, "photos in a step")->check(whole_number(1, 4096));
  app.add_option("--time-budget", options.run.time_budget_s, "seconds that training may take: for the pick")->check(above_zero());
  app.add_option("--val", options.run.val_fraction, "share of the photos held out where the data has no val/ of its own")
      ->check(number(0.0, 0.9))
      ->capture_default_str();
  app.add_option("--device", options.run.device, "cpu, cuda or cuda:N; auto: every one that there is")
      ->check(device_name())
      ->type_name("DEVICE")
      ->capture_default_str();
  app.add_option("--threads", options.run.threads, "threads to compute with; 0: every processor")
      ->check(whole_number(0, 1024))
      ->capture_default_str();
  add_output_flags(app, flags->output);
  return [flags] { return plan_verb(*flags); };
}

}  // namespace fovea::cli
