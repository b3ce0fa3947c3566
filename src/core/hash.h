// Fovea: a fast 64-bit hash of bytes: checksums and keys of caches. Not for secrets.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/file.h"

namespace fovea {

/// XXH64 (Collet, "xxHash fast digest algorithm", specification 0.1.1). The same on every machine.
[[nodiscard]] std::uint64_t hash64(Bytes bytes, std::uint64_t seed = 0);
[[nodiscard]] inline std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0) {
  return hash64(std::as_bytes(std::span(text)), seed);
}

}  // namespace fovea
