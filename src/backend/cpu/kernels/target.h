// Fovea: the instruction sets that the own kernels use, chosen once per backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backend/cpu/kernels/bf16/unit.h"
#include "fovea/result.h"

namespace fovea::cpu {

/// One of Highway's targets, for each of which every kernel file is compiled once; and the unit for products of bf16 numbers.
class Target {
 public:
  /// The best one with the best unit for bf16, or what `wanted` names ("" for the best): a unit, or a target, then without one.
  static Result<Target> choose(std::string_view wanted);

  /// "avx2"; static storage.
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::int64_t bit() const { return bit_; }
  [[nodiscard]] bf16::Unit bf16() const { return bf16_; }
  /// Where FOVEA_KERNEL_FOR finds this target in Highway's tables.
  [[nodiscard]] std::size_t table_index() const { return table_index_; }

 private:
  Target(std::int64_t bit, bf16::Unit unit);
  std::int64_t bit_;
  std::size_t table_index_;
  bf16::Unit bf16_;
};

/// The function of that name compiled for `target`; where HWY_EXPORT(FUNCTION) stands.
#define FOVEA_KERNEL_FOR(FUNCTION, target) (HWY_DISPATCH_TABLE(FUNCTION)[(target).table_index()])

}  // namespace fovea::cpu
