// SPDX-License-Identifier: Apache-2.0
#include "core/shape.h"

#include <limits>

namespace fovea {

std::string to_string(const Shape& shape) {
  if (shape.rank() == 0) return "scalar";
  std::string text;
  for (const std::int64_t extent : shape.extents()) {
    if (!text.empty()) text += 'x';
    text += std::to_string(extent);
  }
  return text;
}

std::optional<std::int64_t> checked_elements(std::span<const std::int64_t> extents) {
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 2;
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t extent : extents) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) empty = true;
    if (!empty && product > kLimit / extent) return std::nullopt;
    product *= empty ? 1 : extent;
  }
  return empty ? 0 : product;
}

}  // namespace fovea
