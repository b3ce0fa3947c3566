// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "fovea/scale.h"

namespace fovea {
namespace {

using Json = nlohmann::ordered_json;

/// "2026-11-22T19:40:00.125Z"
std::string utc_text(std::chrono::sys_time<std::chrono::milliseconds> time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())),
                     (time - seconds).count());
}

Json answers_json(const std::vector<Prediction>& answers) {
  Json list = Json::array();
  // Four digits: what lies behind them is noise of the camera.
  for (const Prediction& p : answers)
    list.push_back({{"label", p.label}, {"probability", std::round(p.probability * 1e4) / 1e4}});
  return list;
}

void add_weight(const std::optional<Weight>& weight, Json& object) {
  if (!weight) return;
  object["weight_g"] = std::round(weight->grams * 1e3) / 1e3;
  object["stable"] = weight->stable;
}

std::string line_of(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string_view name_of(ScaleState state) {
  switch (state) {
    case ScaleState::kNoPicture: return "no picture";
    case ScaleState::kNothing: return "nothing";
    case ScaleState::kChanging: return "changing";
    case ScaleState::kSure: return "sure";
    case ScaleState::kUnsure: return "unsure";
    case ScaleState::kUnknown: return "unknown";
  }
  return "?";
}

std::string json_line(const ScaleReading& reading) {
  Json object = {{"time", utc_text(reading.time)}, {"state", name_of(reading.state)}, {"answers", answers_json(reading.answers)}};
  add_weight(reading.weight, object);
  if (reading.id != 0) {
    object["id"] = reading.id;
    object["after_ms"] = reading.after.count();
  }
  return line_of(object);
}

std::string json_line(const ScaleChoice& choice) {
  Json object = {{"time", utc_text(choice.time)},
                 {"chosen", choice.label},
                 {"corrected", choice.corrected},
                 {"answers", answers_json(choice.answers)},
                 {"id", choice.id}};
  add_weight(choice.weight, object);
  if (!choice.photo.empty()) object["photo"] = choice.photo.string();
  return line_of(object);
}

}  // namespace fovea
