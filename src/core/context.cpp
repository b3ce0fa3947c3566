// SPDX-License-Identifier: Apache-2.0
#include "core/context.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "core/control_group.h"

namespace fovea {

Error Context::why_ended(const Error& error, std::string_view and_now) const {
  return error.kind == Error::Kind::kCancelled && folders_lost() ? folders->stopped(and_now) : error;
}

int available_processors() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
  if (const auto quota = processor_quota()) count = std::min(count, static_cast<int>(std::ceil(*quota)));
  return std::max(1, count);
}

}  // namespace fovea
