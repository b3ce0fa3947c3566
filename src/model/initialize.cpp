// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "model/weights.h"

namespace fovea {
namespace {

/// FNV-1a: a stream per name that does not depend on what else the network has.
std::uint32_t stream_of(std::string_view name) {
  std::uint32_t hash = 2166136261U;
  for (const char byte : name) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  return hash;
}

void initialize(const ParameterSet::Entry& entry, std::span<float> values, std::uint64_t seed) {
  Rng rng(seed, 0, stream_of(entry.name));
  if (entry.role == graph::Role::kState) {
    std::ranges::fill(values, entry.name.ends_with("running_var") ? 1.0F : 0.0F);
  } else if (entry.shape.rank() == 4) {
    const auto fan_out = static_cast<float>(entry.shape[0] * entry.shape[2] * entry.shape[3]);
    // A depthwise filter feeds one channel only.
    const float scale = std::sqrt(2.0F / (entry.shape[1] == 1 ? fan_out / static_cast<float>(entry.shape[0]) : fan_out));
    for (float& value : values) value = scale * rng.normal();
  } else if (entry.shape.rank() == 2) {
    const float bound = 1.0F / std::sqrt(static_cast<float>(entry.shape[1]));
    for (float& value : values) value = rng.uniform(-bound, bound);
  } else {
    std::ranges::fill(values, entry.name.ends_with(".weight") ? 1.0F : 0.0F);
  }
}

}  // namespace

void initialize_parameters(ParameterSet& parameters, std::uint64_t seed, const std::vector<std::string>& only) {
  for (const ParameterSet::Entry& entry : parameters.entries()) {
    if (!only.empty() && std::ranges::find(only, entry.name) == only.end()) continue;
    initialize(entry, parameters.values(entry), seed);
  }
}

}  // namespace fovea
