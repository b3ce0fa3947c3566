// Fovea: the graph that a network is used with, wherever that is: prediction, validation, features for training.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "model/network.h"

namespace fovea {

/// The part of the network that computes `output` from "image" (batch,H,W,3), BatchNorm folded and activations fused.
Result<graph::Graph> inference_graph(const NetworkSpec& spec, int batch, std::string_view output);

}  // namespace fovea
