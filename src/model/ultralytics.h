// Fovea: classification checkpoints of Ultralytics, with the class names and the preprocessing that belong to them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "format/weights.h"
#include "image/preprocess.h"
#include "model/network.h"

namespace fovea {

struct UltralyticsModel {
  std::string architecture;
  NetworkSpec spec;
  std::vector<std::string> classes;
  Preprocess preprocess;
};

/// A whole pickled network of Ultralytics, rather than a plain state dictionary.
[[nodiscard]] bool is_ultralytics(const WeightFile& file);

/// Size letter from the widths of the tensors, classes from the last layer's shape (the yaml in official files is wrong about
/// them), eps from the modules, side from the training arguments; shorter side scaled to it, centre cut out. Refuses other tasks
/// than classification, and networks that are none of the five sizes.
Result<UltralyticsModel> read_ultralytics(const WeightFile& file);

}  // namespace fovea
