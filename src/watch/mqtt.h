// Fovea: records to an MQTT broker.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "watch/watcher.h"

namespace fovea::watching {

/// Works in a thread of its own: a broker that is away, or goes, is tried again after 1, 2, 4, ... 60 s. Only the newest record
/// is worth sending late; one that a newer replaced before the broker had taken it is counted as not sent. When it is destroyed,
/// the last record still has `patience` to get out.
Result<std::unique_ptr<Sink>> mqtt_sink(const MqttOptions& options, std::chrono::milliseconds patience = std::chrono::seconds(5));

}  // namespace fovea::watching
