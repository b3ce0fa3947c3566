// Fovea: jobs of uneven length, a photo each, over plain threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/context.h"

namespace fovea {

/// Calls body(i), or body(i, worker), for i in [0, count) on context.threads threads; each takes the next i when it is done with
/// one, unlike `parallel_for`, which suits even work. `worker` numbers the threads; 0 is the one that called. False when context
/// asked for a stop before all were done. What a body throws is thrown here, after the others have ended.
template <class Body>
bool for_each_photo(const Context& context, std::int64_t count, const Body& body) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto work = [&](int worker) {
    try {
      while (!stopped) {
        const std::int64_t i = next++;
        if (i >= count) return;
        if (context.stop_requested()) {
          stopped = true;
        } else if constexpr (std::is_invocable_v<const Body&, std::int64_t, int>) {
          body(i, worker);
        } else {
          body(i);
        }
      }
    } catch (...) {
      stopped = true;
      const std::lock_guard lock(mutex);
      thrown = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int worker = 1; worker < std::min<std::int64_t>(context.threads, count); ++worker) threads.emplace_back(work, worker);
    work(0);
  }
  if (thrown) std::rethrow_exception(thrown);
  return !stopped;
}

}  // namespace fovea
