// SPDX-License-Identifier: Apache-2.0
#include "model/lanes.h"

#include "core/error.h"

namespace fovea {
namespace {

/// Photos of a lane: the fewer, the more of the activations stay in a processor's caches; the more, the less often weights are
/// fetched, and the better a device is filled.
constexpr int kBatch = 2, kDeviceBatch = 32;

}  // namespace

Result<std::vector<NetworkRunner>> make_lanes(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                              ParameterSet& parameters, int count, std::span<const std::string_view> outputs) {
  const int batch = backend.memory()->on_host() ? kBatch : kDeviceBatch;
  Context of_lane = context;
  of_lane.threads = 1;
  std::vector<NetworkRunner> lanes;
  lanes.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    FOVEA_ASSIGN(NetworkRunner lane, NetworkRunner::create(of_lane, backend, spec, parameters, batch, outputs,
                                                           lanes.empty() ? nullptr : &lanes.front()));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

}  // namespace fovea
