// SPDX-License-Identifier: Apache-2.0
//
// Files and their meaning: "Control Group v2" and "CGroup v1 memory controller" of the Linux kernel's admin guide.
#include "core/control_group.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {
namespace {

namespace fs = std::filesystem;

/// No limit is written as the largest multiple of a page.
constexpr double kUnlimited = 1e18;

/// A number at the beginning of a file; nothing of "max", and of a file that is not there.
std::optional<double> number_in(const fs::path& file) {
  std::ifstream stream(file);
  double value = 0;
  if (!(stream >> value) || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// Of a line "inactive_file 4096"; 0 where there is none.
double statistic(const fs::path& file, std::string_view name) {
  std::ifstream stream(file);
  std::string key;
  double value = 0;
  while (stream >> key >> value) {
    if (key == name) return value;
  }
  return 0;
}

bool is_listed(std::string_view controllers, std::string_view name) {
  for (std::size_t begin = 0; begin <= controllers.size();) {
    const std::size_t end = std::min(controllers.find(',', begin), controllers.size());
    if (controllers.substr(begin, end - begin) == name) return true;
    begin = end + 1;
  }
  return false;
}

/// The group's folder and those above it, up to where the hierarchy is mounted.
void add_up_to(const fs::path& mount, const fs::path& group, std::vector<fs::path>& folders) {
  for (fs::path path = group.relative_path(); !path.empty(); path = path.parent_path()) folders.push_back(mount / path);
  folders.push_back(mount);
}

/// Folders of every hierarchy that may limit what `controller` hands out.
std::vector<fs::path> folders_of(const fs::path& root, std::string_view controller) {
  const fs::path mounts = root / "sys/fs/cgroup";
  std::vector<fs::path> folders;
  add_up_to(mounts, "", folders);  // also where the list of groups cannot be read
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "4:cpu,cpuacct:/a/b", in version 2 "0::/a/b"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string listed = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (listed.empty()) add_up_to(mounts, group, folders);
    if (!is_listed(listed, controller)) continue;
    for (const fs::path& name : {fs::path(listed), fs::path(controller)}) add_up_to(mounts / name, group, folders);
  }
  return folders;
}

std::optional<double> quota_of(const fs::path& folder) {
  std::ifstream file(folder / "cpu.max");
  double quota = 0;
  double period = 0;
  if (file >> quota >> period && period > 0) return quota / period;
  const auto old_quota = number_in(folder / "cpu.cfs_quota_us");  // -1: no limit
  const auto old_period = number_in(folder / "cpu.cfs_period_us");
  if (old_quota && old_period && *old_quota > 0 && *old_period > 0) return *old_quota / *old_period;
  return std::nullopt;
}

std::optional<double> allowance_of(const fs::path& folder) {
  if (const auto limit = number_in(folder / "memory.max")) {
    const double used = number_in(folder / "memory.current").value_or(0);
    return *limit - used + statistic(folder / "memory.stat", "inactive_file");
  }
  const auto limit = number_in(folder / "memory.limit_in_bytes");
  if (!limit || *limit > kUnlimited) return std::nullopt;
  const double used = number_in(folder / "memory.usage_in_bytes").value_or(0);
  return *limit - used + statistic(folder / "memory.stat", "total_inactive_file");
}

template <class Read>
std::optional<double> least(const std::vector<fs::path>& folders, const Read& read) {
  std::optional<double> result;
  for (const fs::path& folder : folders) {
    if (const auto value = read(folder)) result = std::min(result.value_or(*value), *value);
  }
  return result;
}

}  // namespace

std::optional<double> processor_quota(const fs::path& root) { return least(folders_of(root, "cpu"), quota_of); }

std::optional<std::int64_t> memory_allowance(const fs::path& root) {
  const auto bytes = least(folders_of(root, "memory"), allowance_of);
  if (!bytes) return std::nullopt;
  return static_cast<std::int64_t>(std::max(0.0, *bytes));
}

}  // namespace fovea
