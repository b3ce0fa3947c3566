// SPDX-License-Identifier: Apache-2.0
#include "meter.h"

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

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

// Not getrusage's figure: it begins with that of the process that started this one.
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024.0;
  }
  return 0;
}

}  // namespace fovea::bench
