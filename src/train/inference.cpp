// SPDX-License-Identifier: Apache-2.0
#include "train/inference.h"

#include <array>

#include "core/error.h"
#include "model/lanes.h"

namespace fovea::training {

Result<Inference> Inference::create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                    ParameterSet& parameters, std::string output, bool also_features) {
  Inference made(std::move(output), also_features);
  const std::array<std::string_view, 2> outputs{made.output_, "features"};
  FOVEA_ASSIGN(made.lanes_,
               make_lanes(context, backend, spec, parameters, context.threads, std::span(outputs).first(also_features ? 2 : 1)));
  return made;
}

}  // namespace fovea::training
