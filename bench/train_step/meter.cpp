// SPDX-License-Identifier: Apache-2.0
#include "meter.h"

#include <ctime>

namespace fovea::bench {
namespace {

bool processor_clock = false;

}  // namespace

void use_processor_clock() { processor_clock = true; }

double now() {
  timespec time{};
  clock_gettime(processor_clock ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace fovea::bench
