// SPDX-License-Identifier: Apache-2.0
#include "hardware/system_view.h"

#include <cstdlib>
#include <fstream>

namespace fovea::hardware {

SystemView this_system() {
  return {"/", [](const char* name) -> std::optional<std::string> {
            const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing in Fovea sets the environment
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          }};
}

std::optional<std::string> read_small(const std::filesystem::path& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(most, '\0');
  file.read(text.data(), static_cast<std::streamsize>(most));
  text.resize(static_cast<std::size_t>(file.gcount()));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

}  // namespace fovea::hardware
