// SPDX-License-Identifier: Apache-2.0
#include "fovea/watch.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/figures.h"
#include "signals.h"
#include "verbs.h"
#include "watch_flags.h"

namespace fovea::cli {
namespace {

/// "2026-11-22 19:40", local time; with seconds where they are not 0.
std::string local_text(std::chrono::sys_seconds time, std::chrono::seconds offset) {
  const std::tm local = fmt::gmtime(static_cast<std::time_t>((time + offset).time_since_epoch().count()));
  return local.tm_sec == 0 ? fmt::format("{:%F %R}", local) : fmt::format("{:%F %T}", local);
}

std::string utc_text(std::chrono::sys_seconds time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(static_cast<std::time_t>(time.time_since_epoch().count())));
}

void print_record_json(Console& console, const WatchRecord& record) {
  nlohmann::ordered_json line = {
      {"time", utc_text(record.time)}, {"local", local_text(record.time, record.utc_offset)}, {"state", name_of(record.state)}};
  if (record.state == SlotState::kClassified) {
    line["predictions"] = nlohmann::ordered_json::array();
    for (const Prediction& p : record.predictions)
      line["predictions"].push_back({{"label", p.label}, {"probability", p.probability}});
    line["rejected"] = record.rejected;
  }
  if (record.sun) line["sun"] = std::round(*record.sun * 100) / 100;
  if (!record.fault.empty()) line["fault"] = record.fault;
  if (!record.photo.empty()) line["photo"] = record.photo.string();
  console.print_json(line);
}

void print_record(Console& console, const WatchRecord& record) {
  std::string line = local_text(record.time, record.utc_offset) + "  ";
  switch (record.state) {
    case SlotState::kClassified:
      if (record.rejected) line += "unknown;  ";
      for (std::size_t i = 0; i < std::min<std::size_t>(record.predictions.size(), 2); ++i) {
        line += fmt::format("{:>7} {}  ", percent(record.predictions[i].probability), record.predictions[i].label);
      }
      break;
    case SlotState::kNight: line += "night  "; break;
    case SlotState::kFault: line += "no picture: " + record.fault + "  "; break;
  }
  if (record.sun) line += fmt::format("sun {:.1f}°", *record.sun);
  while (line.ends_with(' ')) line.pop_back();
  console.print(line);
}

class WatchView final : public WatchObserver {
 public:
  explicit WatchView(Console& console) : console_(console) {}
  void on_record(const WatchRecord& record) override {
    if (console_.json()) {
      print_record_json(console_, record);
    } else {
      print_record(console_, record);
    }
  }
  void on_gap(const WatchGap& gap) override {
    console_.warn(fmt::format("missed {} from {} to {}: {}", counted(gap.slots, "picture"), utc_text(gap.first),
                              utc_text(gap.last), gap.reason));
  }
  void on_note(std::string_view text) override { console_.note(wrapped(text, 78, 2)); }
  void on_warning(std::string_view text) override { console_.warn(text); }

 private:
  Console& console_;
};

std::string summary(const WatchTotals& t) {
  std::string text = counted(t.classified, "picture");
  const auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  add(t.night, "at night");
  add(t.faults, "without a picture");
  add(t.missed, "missed");
  add(t.not_stored, "not stored");
  add(t.photos_not_kept, "not kept as photos");
  add(t.messages_not_sent, "not sent to MQTT");
  return text;
}

int status_of(const WatchTotals& totals, bool once) {
  if (once) return totals.classified + totals.night > 0 ? kDone : kNothingDone;
  return totals.faults + totals.missed + totals.not_stored > 0 ? kSomeFailed : kDone;
}

/// The page and the table of what the database holds.
int write_outputs(Console& console, const WatchFlags& flags) {
  const WatchOptions& options = flags.options;
  if (!options.page.empty()) {
    if (const auto written = write_watch_page(options.database, options.page); !written) return console.fail(written.error());
    console.note(options.page.string());
  }
  if (!flags.csv.empty()) {
    if (const auto written = write_watch_csv(options.database, flags.csv); !written) return console.fail(written.error());
    console.note(flags.csv.string());
  }
  return kDone;
}

int watch_verb(WatchFlags& flags) {
  Console console("watch", flags.output);
  WatchOptions& options = flags.options;
  hand_on(flags.compute, options);
  if (const char* password = std::getenv("FOVEA_MQTT_PASSWORD")) options.mqtt.password = password;
  if (options.camera.empty() != options.model.empty()) {
    return console.fail({Error::Kind::kUsage, "a MODEL needs a CAMERA: a folder that photos come to, or 'command:...'"});
  }
  if (!options.camera.empty()) {
    WatchView view(console);
    options.stop = &stop_on_signals();
    options.reload = &reload_on_signal();
    const auto totals = watch(options, &view);
    if (!totals) return console.fail(totals.error());
    if (!options.once) console.note(summary(*totals));
    const int status = status_of(*totals, options.once);
    const int written = flags.csv.empty() ? kDone : write_outputs(console, flags);
    return std::max(status, written);
  }
  if (flags.csv.empty() && options.page.empty()) {
    return console.fail(
        {Error::Kind::kUsage, "nothing to do: give a MODEL and a CAMERA, or --report or --csv for what --database holds"});
  }
  return write_outputs(console, flags);
}

}  // namespace

Run add_watch(CLI::App& app) {
  auto flags = std::make_shared<WatchFlags>();
  add_watch_flags(app, *flags);
  return [flags] { return watch_verb(*flags); };
}

}  // namespace fovea::cli
