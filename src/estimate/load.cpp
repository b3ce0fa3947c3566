// SPDX-License-Identifier: Apache-2.0
#include "estimate/load.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

namespace fovea::estimate {
namespace {

struct Times {
  double total = 0;
  double busy = 0;
};

/// The first line of /proc/stat: "cpu user nice system idle iowait irq softirq steal", in ticks of all processors together.
Times now() {
  std::ifstream file("/proc/stat");
  std::string name;
  std::array<double, 8> ticks{};
  file >> name;
  for (double& value : ticks) file >> value;
  if (!file || name != "cpu") return {};
  Times times;
  for (const double value : ticks) times.total += value;
  times.busy = times.total - ticks[3] - ticks[4];
  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {times.total / per_second, times.busy / per_second};
}

}  // namespace

LoadWatch::LoadWatch() {
  const Times times = now();
  total_ = times.total;
  busy_ = times.busy;
}

double LoadWatch::taken_by_others() const {
  const Times times = now();
  const double total = times.total - total_;
  if (total <= 0) return 0;
  return std::clamp((times.busy - busy_ - own_.elapsed().processor) / total, 0.0, 1.0);
}

}  // namespace fovea::estimate
