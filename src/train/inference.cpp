// SPDX-License-Identifier: Apache-2.0
#include "train/inference.h"

#include <array>

#include "core/error.h"

namespace fovea::training {
namespace {

/// Photos of a lane: the fewer, the more of the activations stay in a processor's caches; the more, the less often weights are
/// fetched, and the better a device is filled.
constexpr int kBatch = 2, kDeviceBatch = 32;

}  // namespace

Result<Inference> Inference::create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                    ParameterSet& parameters, std::string output, bool also_features) {
  Inference made(std::move(output), also_features);
  const std::array<std::string_view, 2> outputs{made.output_, "features"};
  const int batch = backend.memory()->on_host() ? kBatch : kDeviceBatch;
  Context of_lane = context;
  of_lane.threads = 1;
  for (int i = 0; i < context.threads; ++i) {
    FOVEA_ASSIGN(NetworkRunner lane,
                 NetworkRunner::create(of_lane, backend, spec, parameters, batch, std::span(outputs).first(also_features ? 2 : 1),
                                       i == 0 ? nullptr : &made.lanes_.front()));
    made.lanes_.push_back(std::move(lane));
  }
  return made;
}

}  // namespace fovea::training
