// Fovea: the graph that a network is used with, wherever that is: prediction, validation, features for training.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "model/network.h"

namespace fovea {

/// The part of the network that computes these `outputs` from "image" (batch,H,W,3), compiled for use.
Result<graph::Graph> inference_graph(const NetworkSpec& spec, int batch, std::span<const std::string_view> outputs);

}  // namespace fovea
