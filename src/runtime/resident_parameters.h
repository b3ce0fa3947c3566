// Fovea: the values and gradients of a network where a backend trains them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/memory.h"
#include "runtime/parameters.h"

namespace fovea {

/// The flat buffers of a ParameterSet once more in another memory, with the same offsets: training leaves everything there, and
/// what is validated or saved is fetched.
class ResidentParameters {
 public:
  /// Gradients start as zeros; values as those of `parameters`.
  ResidentParameters(std::shared_ptr<Memory> memory, const ParameterSet& parameters);

  /// Parameters and states: `floats()` of them; gradients: of parameters alone.
  [[nodiscard]] float* values() const { return values_.f32(); }
  [[nodiscard]] float* gradients() const { return gradients_.f32(); }
  [[nodiscard]] std::size_t floats() const { return values_.size() / sizeof(float); }
  [[nodiscard]] std::size_t parameter_floats() const { return gradients_.size() / sizeof(float); }

  /// Binds every parameter and state, and every gradient that is a bound output of the plan; names are those of `parameters`.
  void bind_to(Executor& executor, const ParameterSet& parameters) const;
  void upload(const ParameterSet& parameters);
  void download(ParameterSet& parameters) const;

 private:
  std::shared_ptr<Memory> memory_;
  DeviceBuffer values_;
  DeviceBuffer gradients_;
};

}  // namespace fovea
