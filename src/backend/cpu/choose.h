// Fovea: one of several kernels that compute the same bits, by timing on this machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "backend/cpu/setup.h"

namespace fovea::cpu {

/// The kernel of `setup`'s node that make(i), i in [0, count), runs fastest, as `setup.context.tuning` knows or learns now;
/// make(0), the fixed choice, where there is no tuning. Another is taken only where it is clearly faster than the first.
/// All must give the same bits (see Tuning). `what` names the node's fields; its shapes, the instruction set and the threads are
/// added.
[[nodiscard]] std::unique_ptr<Kernel> choose(const Setup& setup, std::string_view what, std::size_t count,
                                             const std::function<std::unique_ptr<Kernel>(std::size_t)>& make);

}  // namespace fovea::cpu
