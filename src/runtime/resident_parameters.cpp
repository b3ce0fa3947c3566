// SPDX-License-Identifier: Apache-2.0
#include "runtime/resident_parameters.h"

#include "graph/autodiff.h"
#include "runtime/executor.h"

namespace fovea {

ResidentParameters::ResidentParameters(std::shared_ptr<Memory> memory, const ParameterSet& parameters)
    : memory_(std::move(memory)),
      values_(memory_, parameters.all().size_bytes()),
      gradients_(memory_, parameters.parameter_floats() * sizeof(float)) {
  upload(parameters);
}

void ResidentParameters::bind_to(Executor& executor, const ParameterSet& parameters) const {
  for (const ParameterSet::Entry& entry : parameters.entries()) {
    executor.bind_resident(entry.name, values() + entry.offset);
    if (entry.role == graph::Role::kParameter) {
      executor.bind_resident(graph::gradient_name(entry.name), gradients() + entry.offset);
    }
  }
}

void ResidentParameters::upload(const ParameterSet& parameters) {
  memory_->upload(std::as_bytes(parameters.all()), values_.data());
}

void ResidentParameters::download(ParameterSet& parameters) const {
  memory_->download(values_.data(), std::as_writable_bytes(parameters.all()));
}

}  // namespace fovea
