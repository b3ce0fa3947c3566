// Fovea: one node on one backend, watched.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "contract/subject.h"
#include "core/context.h"

namespace fovea::contract {

struct RunOptions {
  Context context;
  bool constant_weights = false;
  bool in_place = false;  ///< output 0 takes over the memory of reusable_input(), if there is one
};

/// Prepares, packs and runs the node, twice over the same memory. Fails the running test when the kernel writes beside its memory
/// or into its inputs, leaves a part of its output unwritten, or gives other bits the second time; gives the outputs.
[[nodiscard]] std::vector<Floats> run(const Backend& backend, const Subject& subject, const RunOptions& options);

}  // namespace fovea::contract
