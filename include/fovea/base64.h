// Fovea: bytes as text that everything carries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace fovea {

/// RFC 4648, section 4, with padding.
[[nodiscard]] std::string base64(std::span<const std::byte> bytes);

}  // namespace fovea
