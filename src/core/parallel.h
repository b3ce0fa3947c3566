// Fovea: parallel loops over the threads of a context.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/context.h"
#include "core/loop_team.h"
#include "core/range.h"

namespace fovea {

/// Calls body(i), or body(i, worker), for i in [0, count), spread over context.threads threads; returns when all are done.
/// `worker` numbers the threads; 0 is the one that called. The body must not throw. Bits must not depend on which thread takes
/// which i: mostly the same one, so that memory stays near its thread, but another where that one is late.
template <class Body>
void parallel_for(const Context& context, std::int64_t count, const Body& body) {
  const auto call = [](const void* self, std::int64_t i, [[maybe_unused]] int worker) {
    if constexpr (std::is_invocable_v<const Body&, std::int64_t, int>) {
      (*static_cast<const Body*>(self))(i, worker);
    } else {
      (*static_cast<const Body*>(self))(i);
    }
  };
  if (std::min<std::int64_t>(context.threads, count) <= 1) {
    for (std::int64_t i = 0; i < count; ++i) call(&body, i, 0);
    return;
  }
  LoopTeam::of_this_thread().run(context.threads, count, call, &body);
}

/// Calls body(Range) for contiguous ranges that cover [0, total), of at least `grain` items each.
template <class Body>
void parallel_ranges(const Context& context, std::int64_t total, std::int64_t grain, const Body& body) {
  const std::int64_t parts = std::clamp<std::int64_t>(total / std::max<std::int64_t>(grain, 1), 1, context.threads);
  parallel_for(context, parts, [&](std::int64_t part) { body(part_of(total, parts, part)); });
}

}  // namespace fovea
