// Fovea: one network on several threads, each with photos of its own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "model/network_runner.h"

namespace fovea {

/// A runner for each of `count` threads, with the same weights: a thread takes its photos through the whole network, so that
/// nobody waits for anybody and activations stay in that processor's caches. The bits of a row do not depend on its lane.
/// `parameters` must outlive them. After a change of the parameters the first alone is to be refreshed.
Result<std::vector<NetworkRunner>> make_lanes(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                              ParameterSet& parameters, int count, std::span<const std::string_view> outputs);

}  // namespace fovea
