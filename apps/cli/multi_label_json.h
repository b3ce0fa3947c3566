// Fovea: figures of photos with any number of labels, as JSON.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "fovea/multi_label.h"

namespace fovea::cli {

inline nlohmann::ordered_json label_set_json(const MultiLabelFigures& figures) {
  return {{"mean_average_precision", figures.mean_average_precision},
          {"interval", {figures.interval.low, figures.interval.high}},
          {"chance", figures.chance},
          {"micro_f1", figures.micro_f1},
          {"macro_f1", figures.macro_f1},
          {"exact_match", figures.exact_match}};
}

}  // namespace fovea::cli
