// Fovea: a checksum over what a weight file holds, whatever the order of its tensors: tells bits that were changed by mistake.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "format/weights.h"

namespace fovea {

/// Of the tensors' names and bytes and of `text`: 16 hexadecimal digits (XXH64).
[[nodiscard]] std::string checksum_of(std::span<const StoredTensor> tensors, std::string_view text);

}  // namespace fovea
