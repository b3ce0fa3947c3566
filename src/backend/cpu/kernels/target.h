// Fovea: the instruction set that the own kernels use, chosen once per backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fovea/result.h"

namespace fovea::cpu {

/// One of Highway's targets: every kernel file is compiled once for each.
class Target {
 public:
  /// The best one, or the one that `wanted` names ("" for the best).
  static Result<Target> choose(std::string_view wanted);

  /// "avx2"; static storage.
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::int64_t bit() const { return bit_; }
  /// Where FOVEA_KERNEL_FOR finds this target in Highway's tables.
  [[nodiscard]] std::size_t table_index() const { return table_index_; }

 private:
  Target(std::int64_t bit, std::size_t table_index) : bit_(bit), table_index_(table_index) {}
  std::int64_t bit_;
  std::size_t table_index_;
};

/// The function of that name compiled for `target`; where HWY_EXPORT(FUNCTION) stands.
#define FOVEA_KERNEL_FOR(FUNCTION, target) (HWY_DISPATCH_TABLE(FUNCTION)[(target).table_index()])

}  // namespace fovea::cpu
