// Fovea: what the published weights of a network are worth.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "model/network.h"

namespace fovea {

/// Top-1 accuracy on ImageNet, in percent, that whoever published the weights states for them; nothing for a width in between.
[[nodiscard]] std::optional<double> published_accuracy(const NetworkSpec& spec);

}  // namespace fovea
