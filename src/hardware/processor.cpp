// SPDX-License-Identifier: Apache-2.0
#include "hardware/processor.h"

#include <fstream>

#include "core/error.h"

namespace fovea::hardware {

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

}  // namespace fovea::hardware
