// Fovea: the JSON header of a safetensors file, parsed without trust.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "fovea/result.h"

namespace fovea {

struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> extents;
  /// First byte of the tensor, and the one behind its last, counted from the start of the buffer.
  std::array<std::uint64_t, 2> offsets{};
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of the header
  std::map<std::string, std::string> metadata;
};

/// Checks everything that concerns the header alone: JSON in UTF-8, exactly the fields of the format, each once and of its
/// type, known dtypes, at most 64 axes, extents that multiply to the byte count the offsets state.
Result<SafetensorsHeader> parse_safetensors_header(std::string_view json);

}  // namespace fovea
