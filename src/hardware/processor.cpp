// SPDX-License-Identifier: Apache-2.0
#include "hardware/processor.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

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

/// Control group v2: a number of bytes, or "max".
std::int64_t control_group_bytes(const SystemView& system, const char* file) {
  const auto text = read_small(system.at("sys/fs/cgroup") / file, 32);
  return text ? std::strtoll(text->c_str(), nullptr, 10) : 0;
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
  const std::int64_t limit = control_group_bytes(system, "memory.max");
  if (limit <= 0) return free;
  return std::clamp<std::int64_t>(limit - control_group_bytes(system, "memory.current"), 0, free);
}

}  // namespace fovea::hardware
