// SPDX-License-Identifier: Apache-2.0
#include "train/epoch_json.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace fovea::training {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no NaN: a loss that became one is null.
double number_or_nan(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

std::string key_of(Measure measure) { return fmt::format("val_{}", name_of(measure)); }

}  // namespace

std::string_view name_of(Measure measure) { return measure == Measure::kAccuracy ? "accuracy" : "mean_average_precision"; }

Json metrics_json(const EpochReport& epoch) {
  Json json{{"event", "epoch"},
            {"stage", epoch.stage},
            {"epoch", epoch.epoch},
            {"epochs", epoch.epochs},
            {"train_loss", epoch.train_loss},
            {"val_loss", epoch.val_loss},
            {key_of(epoch.measure), epoch.val_accuracy},
            {"lr", epoch.lr},
            {"best", epoch.best}};
  if (epoch.loss_scale) json.update({{"loss_scale", *epoch.loss_scale}, {"skipped_steps", epoch.skipped_steps}});
  return json;
}

Json timing_json(const EpochReport& epoch) {
  Json json{{"event", "epoch"},
            {"stage", epoch.stage},
            {"epoch", epoch.epoch},
            {"images_per_second", epoch.images_per_second},
            {"wait_share", epoch.wait_share}};
  if (epoch.device_busy) json["device_busy"] = *epoch.device_busy;
  return json;
}

EpochReport epoch_from(const Json& json) {
  EpochReport epoch;
  epoch.stage = json.at("stage").get<std::string>();
  epoch.epoch = json.at("epoch").get<int>();
  epoch.epochs = json.at("epochs").get<int>();
  epoch.train_loss = number_or_nan(json.at("train_loss"));
  epoch.val_loss = number_or_nan(json.at("val_loss"));
  const bool accuracy = json.contains(key_of(Measure::kAccuracy));
  epoch.measure = accuracy ? Measure::kAccuracy : Measure::kMeanAveragePrecision;
  epoch.val_accuracy = json.at(key_of(epoch.measure)).get<double>();
  epoch.lr = json.at("lr").get<double>();
  epoch.images_per_second = json.at("images_per_second").get<double>();
  epoch.wait_share = json.at("wait_share").get<double>();
  if (json.contains("device_busy")) epoch.device_busy = json.at("device_busy").get<double>();
  epoch.best = json.at("best").get<bool>();
  if (json.contains("loss_scale")) {
    epoch.loss_scale = json.at("loss_scale").get<double>();
    epoch.skipped_steps = json.at("skipped_steps").get<std::int64_t>();
  }
  return epoch;
}

}  // namespace fovea::training
