// Fovea: reverse-mode differentiation: appends ordinary nodes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace fovea::graph {

/// The name of the output that holds the gradient of parameter `name`.
[[nodiscard]] std::string gradient_name(std::string_view name);

/// `graph` followed by the nodes that compute the gradient of its output "loss" (made by one of the losses) with respect to
/// every parameter for which `trainable` holds; each becomes an output `gradient_name(parameter)`. Nothing is computed that no
/// such gradient needs. Nothing may be shared by two ops except values: a parameter used twice gets the sum. Gradients with
/// respect to inputs named in `inputs` become outputs too (for finite-difference tests and heat maps). Fails for an op without a
/// derivative on the path: fold_batchnorm comes first.
Result<Graph> differentiate(const Graph& graph, const std::function<bool(std::string_view)>& trainable,
                            std::span<const std::string> inputs = {});

/// The same from any output: `seed_name` becomes an input of that output's shape that holds the gradient reaching it.
Result<Graph> differentiate_from(const Graph& graph, std::string_view output, std::string seed_name,
                                 const std::function<bool(std::string_view)>& trainable,
                                 std::span<const std::string> inputs = {});

}  // namespace fovea::graph
