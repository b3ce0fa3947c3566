// SPDX-License-Identifier: Apache-2.0
#include "runtime/machine_tuning.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "core/hash.h"
#include "core/user_folders.h"
#include "fovea/version.h"
#include "hardware/processor.h"

namespace fovea {

std::shared_ptr<Tuning> machine_tuning(Tuning::Mode mode, const hardware::SystemView& system) {
  const char* wanted = std::getenv("FOVEA_TUNE");  // NOLINT(concurrency-mt-unsafe): nothing in Fovea sets the environment
  if (wanted != nullptr && std::string_view(wanted) == "off") return nullptr;
  const auto folder = user_cache_folder();
  if (!folder) return nullptr;
  const std::string machine = fmt::format("fovea {} on {}", version(), hardware::processor_name(system));
  return std::make_shared<Tuning>(*folder / "tuning" / fmt::format("{:016x}.txt", hash64(machine)), machine, mode);
}

}  // namespace fovea
