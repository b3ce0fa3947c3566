// Fovea: a half-open range of items, and how many of them are dealt out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea {

struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t size() const { return end - begin; }
};
/// Part `index` when `total` items are dealt out evenly to `parts`.
[[nodiscard]] constexpr Range part_of(std::int64_t total, std::int64_t parts, std::int64_t index) {
  return {total * index / parts, total * (index + 1) / parts};
}

}  // namespace fovea
