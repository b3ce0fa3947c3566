// SPDX-License-Identifier: Apache-2.0
#include "core/memory.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace fovea {
namespace {

// Control group v2: a number of bytes, or "max".
std::int64_t bytes_in(const char* path) {
  std::ifstream file(path);
  std::int64_t bytes = 0;
  return file >> bytes ? bytes : 0;
}

}  // namespace

std::int64_t available_memory() {
  std::int64_t kilobytes = 0;
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemAvailable:")) kilobytes = std::strtoll(line.c_str() + 13, nullptr, 10);
  }
  const std::int64_t free = kilobytes * 1024;
  const std::int64_t limit = bytes_in("/sys/fs/cgroup/memory.max");
  if (limit == 0) return free;
  return std::clamp<std::int64_t>(limit - bytes_in("/sys/fs/cgroup/memory.current"), 0, free);
}

}  // namespace fovea
