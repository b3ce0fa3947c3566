// SPDX-License-Identifier: Apache-2.0
#include "core/available_memory.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/control_group.h"

namespace fovea {
namespace {

/// Of a line such as "MemAvailable:   16384 kB".
std::int64_t memory_line(const std::filesystem::path& root, const std::string& name) {
  std::ifstream file(root / "proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtoll(line.c_str() + name.size(), nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

std::int64_t total_memory(const std::filesystem::path& root) { return memory_line(root, "MemTotal:"); }

std::int64_t available_memory(const std::filesystem::path& root) {
  const std::int64_t free = memory_line(root, "MemAvailable:");
  return std::min(free, memory_allowance(root).value_or(free));
}

}  // namespace fovea
