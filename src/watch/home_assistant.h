// Fovea: what is told over MQTT, as Home Assistant reads it ("MQTT Discovery" in its documentation).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "fovea/watch.h"

namespace fovea::watching {

/// All are retained: who comes later sees the last.
struct Message {
  std::string topic;
  std::string payload;
};

/// "fovea/NAME/status": "online", and "offline" by the broker itself when the connection breaks.
[[nodiscard]] std::string status_topic(const MqttOptions& options);
/// "fovea/NAME/state": a JSON object with time, state, class, probability (percent), rejected, sun, problem, fault. `class` is
/// also "unknown", "night" or "no picture".
[[nodiscard]] Message state_message(const MqttOptions& options, const WatchRecord& record);
/// DISCOVERY/sensor/fovea_NAME/WHAT/config of class, probability and sun, and of the binary sensor of a problem.
[[nodiscard]] std::vector<Message> discovery_messages(const MqttOptions& options);
/// kUsage for a name or prefix that would be more than one level of a topic, or a wildcard.
Result<void> check_names(const MqttOptions& options);

}  // namespace fovea::watching
