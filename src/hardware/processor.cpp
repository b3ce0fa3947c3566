// SPDX-License-Identifier: Apache-2.0
#include "hardware/processor.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "core/control_group.h"
#include "core/error.h"

namespace fovea::hardware {
namespace {

/// Of a line such as "MemAvailable:   16384 kB".
std::int64_t memory_line(const SystemView& system, const std::string& name) {
  std::ifstream file(system.at("proc/meminfo"));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtoll(line.c_str() + name.size(), nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

std::string processor_name(const SystemView& system) {
  std::ifstream file(system.at("proc/cpuinfo"));
  std::string board;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    if (line.starts_with("model name")) return printable(line.substr(colon + 2));
    if (line.starts_with("Model")) board = printable(line.substr(colon + 2));
  }
  return board;
}

std::int64_t total_memory(const SystemView& system) { return memory_line(system, "MemTotal:"); }

std::int64_t available_memory(const SystemView& system) {
  const std::int64_t free = memory_line(system, "MemAvailable:");
  return std::min(free, memory_allowance(system.root).value_or(free));
}

}  // namespace fovea::hardware
