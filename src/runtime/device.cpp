// SPDX-License-Identifier: Apache-2.0
#include "runtime/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "backend/registry.h"
#include "core/context.h"
#include "core/error.h"
#include "fovea/figures.h"
#include "hardware/gpu.h"

namespace fovea {
namespace {

Result<Device> open_cpu(std::string reason) {
  FOVEA_ASSIGN(auto backend, make_backend("cpu"));
  return Device{"cpu", std::move(reason), std::move(backend)};
}

std::string processors() { return counted(available_processors(), "processor"); }

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && number >= 0;
  return whole ? std::optional(number) : std::nullopt;
}

/// 0 of "cuda", N of "cuda:N".
std::optional<int> gpu_index(std::string_view request) {
  if (request == "cuda") return 0;
  if (!request.starts_with("cuda:")) return std::nullopt;
  request.remove_prefix(5);
  return number_of(request);
}

/// The GPUs that the driver shows; at least one name, so that opening it says what is wrong where there is none.
std::vector<std::string> all_gpus(const hardware::SystemView& system) {
  const hardware::GpuFacts facts = hardware::probe_gpus(system);
  const std::size_t count = facts.driver ? facts.driver->gpus.size() : 0;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, count); ++i) names.push_back(fmt::format("cuda:{}", i));
  return names;
}

/// The names of open_device that `request` stands for.
Result<std::vector<std::string>> team_of(std::string_view request, const hardware::SystemView& system) {
  if (request == "cuda:all") return all_gpus(system);
  if (request.starts_with("cpu:")) {
    constexpr int kMost = 64;
    const auto count = number_of(request.substr(4));
    if (!count || *count < 1 || *count > kMost) {
      return fail(Error::Kind::kUsage, "device '{}': expected cpu:1 to cpu:{}, that many trainers", printable(request), kMost);
    }
    return std::vector<std::string>(static_cast<std::size_t>(*count), "cpu");
  }
  if (!request.starts_with("cuda:") || request.find(',') == std::string_view::npos) return std::vector{std::string(request)};
  std::vector<std::string> names;
  std::string_view list = request.substr(5);
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const auto index = number_of(list.substr(0, comma));
    const std::string name = index ? fmt::format("cuda:{}", *index) : "";
    if (name.empty() || std::ranges::find(names, name) != names.end()) {
      return fail(Error::Kind::kUsage, "device '{}': expected numbers of different GPUs, such as cuda:0,1", printable(request));
    }
    names.push_back(name);
    if (comma == list.size()) return names;
    list.remove_prefix(comma + 1);
  }
}

Result<std::unique_ptr<Backend>> open_gpu(int index, const hardware::SystemView& system) {
  FOVEA_TRY(check_gpu(index, system));
  return make_backend("cuda", index);
}

}  // namespace

Result<void> check_gpu(int index, const hardware::SystemView& system) {
  const hardware::GpuNeeds needs;
  const auto diagnosis = hardware::diagnose(hardware::probe_gpus(system, needs), needs, index, system);
  if (diagnosis.usable()) return {};
  const bool none = diagnosis.problem == hardware::GpuProblem::kNoHardware;
  return fail(none ? Error::Kind::kNotFound : Error::Kind::kUnsupported, "{}", diagnosis.sentence());
}

Result<std::vector<Device>> open_devices(std::string_view request, const hardware::SystemView& system) {
  FOVEA_ASSIGN(const std::vector<std::string> names, team_of(request, system));
  std::vector<Device> devices;
  for (const std::string& name : names) {
    FOVEA_ASSIGN(Device device, open_device(name, system));
    devices.push_back(std::move(device));
  }
  if (devices.size() > 1) devices.front().reason = fmt::format("{} trainers share each batch, as asked", devices.size());
  return devices;
}

Result<Device> open_device(std::string_view request, const hardware::SystemView& system) {
  if (request == "cpu") return open_cpu(processors() + ", as asked");
  if (const auto index = gpu_index(request)) {
    auto backend = open_gpu(*index, system);
    if (backend) return Device{fmt::format("cuda:{}", *index), "as asked", std::move(*backend), *index};
    return fail(Error::Kind::kUnsupported, "device {}: {}; --device cpu, or auto, does without", printable(request),
                backend.error().message);
  }
  if (request != "auto") {
    return fail(Error::Kind::kUsage, "device '{}' is not known: expected auto, cpu, cuda or cuda:N", printable(request));
  }
  auto backend = open_gpu(0, system);
  if (backend) return Device{"cuda:0", "a GPU that works", std::move(*backend), 0};
  const bool none = backend.error().kind == Error::Kind::kNotFound;
  return open_cpu(fmt::format("{}; {}{}", processors(), none ? "" : "the GPU is not used: ", backend.error().message));
}

}  // namespace fovea
