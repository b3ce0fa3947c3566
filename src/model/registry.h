// Fovea: networks by name, each with the input and the preprocessing it was published with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image/preprocess.h"
#include "model/network.h"

namespace fovea {

struct Architecture {
  std::string name;
  NetworkSpec spec;
  Preprocess preprocess;
};

/// "mobilenet_v2", "mobilenet_v2_0.35" (any width from 0.35 to 1.4), "efficientnet_lite0" to "4", "yolo11n-cls" to "yolo11x-cls".
/// kNotFound lists the names. The preprocessing's fit is Fovea's default: whole photos.
Result<Architecture> find_architecture(std::string_view name);

/// What find_architecture knows, in order of family and size.
[[nodiscard]] std::vector<std::string> architecture_names();

/// The name that find_architecture takes for a network of this family and size.
[[nodiscard]] std::string architecture_name(const NetworkSpec& spec);

/// Mean, std and filter of the published weights of the family, sides of the spec.
[[nodiscard]] Preprocess default_preprocess(const NetworkSpec& spec);

}  // namespace fovea
