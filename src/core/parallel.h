// Fovea: one pool of threads, OpenMP's, which oneDNN uses too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/context.h"

namespace fovea {

/// Calls body(i) for i in [0, count), spread over context.threads threads; returns when all are done.
/// The body must not throw. Which thread takes which i is fixed, so that memory stays near its thread.
template <class Body>
void parallel_for(const Context& context, std::int64_t count, const Body& body) {
  const int threads = static_cast<int>(std::min<std::int64_t>(context.threads, count));
  if (threads <= 1) {
    for (std::int64_t i = 0; i < count; ++i) body(i);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::int64_t i = 0; i < count; ++i) body(i);
}

/// The half-open range of part `index` when `total` items are dealt out evenly to `parts`.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t size() const { return end - begin; }
};
[[nodiscard]] constexpr Range part_of(std::int64_t total, std::int64_t parts, std::int64_t index) {
  return {total * index / parts, total * (index + 1) / parts};
}

/// Calls body(Range) for contiguous ranges that cover [0, total), of at least `grain` items each.
template <class Body>
void parallel_ranges(const Context& context, std::int64_t total, std::int64_t grain, const Body& body) {
  const std::int64_t parts = std::clamp<std::int64_t>(total / std::max<std::int64_t>(grain, 1), 1, context.threads);
  parallel_for(context, parts, [&](std::int64_t part) { body(part_of(total, parts, part)); });
}

}  // namespace fovea
