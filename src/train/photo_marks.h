// Fovea: photos recognised again by their bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.h"
#include "data/dataset.h"

namespace fovea::training {

/// A mark of each readable photo, made from its size in bytes and its first 4 KiB: little is read, and photos that agree in
/// both are copies. In the order of the samples.
[[nodiscard]] std::vector<std::uint64_t> marks_of(const Context& context, std::span<const Sample> samples);

}  // namespace fovea::training
