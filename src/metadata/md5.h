// Fovea: the digest (RFC 1321) by which programs notice that IPTC records were changed. For nothing that has to be safe.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "core/file.h"

namespace fovea::metadata {

[[nodiscard]] std::array<std::byte, 16> md5(Bytes bytes);

}  // namespace fovea::metadata
