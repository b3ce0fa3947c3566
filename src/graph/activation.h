// Fovea: the activations of networks, in a header that kernels of every kind can afford.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea::graph {

enum class Activation : std::uint8_t { kNone, kRelu, kRelu6, kSilu };

}  // namespace fovea::graph
