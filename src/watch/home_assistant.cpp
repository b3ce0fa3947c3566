// SPDX-License-Identifier: Apache-2.0
#include "watch/home_assistant.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "fovea/version.h"
#include "watch/time_text.h"

namespace fovea::watching {
namespace {

using Json = nlohmann::ordered_json;

std::string state_topic(const MqttOptions& options) { return fmt::format("fovea/{}/state", options.name); }

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

double rounded(double value, double steps) { return std::round(value * steps) / steps; }

/// What every entity says of itself; the device binds them together.
Json entity(const MqttOptions& options, const std::string& what, const std::string& name) {
  return {{"name", name},
          {"unique_id", fmt::format("fovea_{}_{}", options.name, what)},
          {"state_topic", state_topic(options)},
          {"value_template", fmt::format("{{{{ value_json.{} }}}}", what)},
          {"availability_topic", status_topic(options)},
          {"device",
           {{"identifiers", {fmt::format("fovea_{}", options.name)}},
            {"name", options.name},
            {"manufacturer", "Fovea"},
            {"model", "fovea watch"},
            {"sw_version", version()}}}};
}

Message config(const MqttOptions& options, const std::string& kind, const std::string& what, const Json& json) {
  return {fmt::format("{}/{}/fovea_{}/{}/config", options.discovery, kind, options.name, what), text_of(json)};
}

}  // namespace

std::string status_topic(const MqttOptions& options) { return fmt::format("fovea/{}/status", options.name); }

Message state_message(const MqttOptions& options, const WatchRecord& record) {
  const bool classified = record.state == SlotState::kClassified && !record.predictions.empty();
  Json json = {{"time", utc_text(record.time)}, {"state", name_of(record.state)}};
  json["class"] = record.state == SlotState::kNight ? "night"
                  : !classified                     ? "no picture"
                  : record.rejected                 ? "unknown"
                                                    : record.predictions.front().label;
  json["probability"] = classified ? Json(rounded(100 * record.predictions.front().probability, 10)) : Json();
  json["rejected"] = record.rejected;
  json["sun"] = record.sun ? Json(rounded(*record.sun, 10)) : Json();
  json["problem"] = record.state == SlotState::kFault ? "ON" : "OFF";
  json["fault"] = record.fault;
  return {state_topic(options), text_of(json)};
}

std::vector<Message> discovery_messages(const MqttOptions& options) {
  Json top = entity(options, "class", "Class");
  top["icon"] = "mdi:weather-partly-cloudy";
  Json probability = entity(options, "probability", "Probability");
  probability["unit_of_measurement"] = "%";
  probability["state_class"] = "measurement";
  Json sun = entity(options, "sun", "Sun");
  sun["unit_of_measurement"] = "°";
  sun["state_class"] = "measurement";
  Json problem = entity(options, "problem", "Camera");
  problem["device_class"] = "problem";
  problem["json_attributes_topic"] = state_topic(options);
  return {config(options, "sensor", "class", top), config(options, "sensor", "probability", probability),
          config(options, "sensor", "sun", sun), config(options, "binary_sensor", "problem", problem)};
}

Result<void> check_names(const MqttOptions& options) {
  const auto plain = [](const std::string& text) {
    return !text.empty() &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string::npos;
  };
  if (!plain(options.name)) {
    return fail(Error::Kind::kUsage, "MQTT name '{}'; letters, digits, '_' and '-' make one", printable(options.name));
  }
  if (!plain(options.discovery)) {
    return fail(Error::Kind::kUsage, "MQTT discovery prefix '{}'; letters, digits, '_' and '-' make one",
                printable(options.discovery));
  }
  return {};
}

}  // namespace fovea::watching
