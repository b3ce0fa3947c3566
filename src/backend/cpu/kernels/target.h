// Fovea: the instruction sets that the own kernels use, chosen once per backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "backend/cpu/kernels/bf16/unit.h"
#include "core/vector_target.h"
#include "fovea/result.h"

namespace fovea::cpu {

/// The versions of kernels that run, and the unit for products of bf16 numbers.
class Target : public VectorTarget {
 public:
  /// The best one with the best unit for bf16, or what `wanted` names ("" for the best): a unit, or a target, then without one.
  static Result<Target> choose(std::string_view wanted);

  [[nodiscard]] bf16::Unit bf16() const { return bf16_; }

 private:
  Target(const VectorTarget& target, bf16::Unit unit) : VectorTarget(target), bf16_(unit) {}
  bf16::Unit bf16_;
};

}  // namespace fovea::cpu
