// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/target.h"

#include <string>

#include "core/error.h"

namespace fovea::cpu {

Result<Target> Target::choose(std::string_view wanted) {
  if (wanted.empty()) return Target(best(), bf16::best_unit());
  std::string names;
  for (const bf16::Unit unit : {bf16::Unit::kTiles, bf16::Unit::kVectors}) {
    if (!available(unit)) continue;
    if (name_of(unit) == wanted) return Target(best(), unit);
    names += std::string(name_of(unit)) + ", ";
  }
  for (const VectorTarget& target : usable()) {
    if (target.name() == wanted) return Target(target, bf16::Unit::kNone);
    names += std::string(target.name()) + ", ";
  }
  names.resize(names.size() - 2);
  return fail(Error::Kind::kUsage, "FOVEA_CPU: got '{}', expected one of {} on this processor", wanted, names);
}

}  // namespace fovea::cpu
