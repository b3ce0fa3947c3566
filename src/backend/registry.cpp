// SPDX-License-Identifier: Apache-2.0
#include "backend/registry.h"

#include <fmt/ranges.h>

#include <array>

#include "backend/cpu/cpu_backend.h"
#include "backend/cuda_backend.h"
#include "backend/reference/reference_backend.h"
#include "core/error.h"

namespace fovea {
namespace {

struct Entry {
  std::string_view name;
  Result<std::unique_ptr<Backend>> (*make)(int device);
};

constexpr std::array kEntries{
    Entry{"cpu", [](int) { return make_cpu_backend(); }},
    Entry{"cuda", make_cuda_backend},
    Entry{"reference", [](int) -> Result<std::unique_ptr<Backend>> { return make_reference_backend(); }},
};

constexpr auto kNames = [] {
  std::array<std::string_view, kEntries.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kEntries[i].name;
  return names;
}();

}  // namespace

std::span<const std::string_view> backend_names() { return kNames; }

Result<std::unique_ptr<Backend>> make_backend(std::string_view name, int device) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.make(device);
  }
  return fail(Error::Kind::kUsage, "backend '{}': there is none of that name; choose one of {}", printable(name),
              fmt::join(kNames, ", "));
}

}  // namespace fovea
