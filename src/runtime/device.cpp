// SPDX-License-Identifier: Apache-2.0
#include "runtime/device.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "backend/registry.h"
#include "core/context.h"
#include "core/error.h"
#include "hardware/gpu.h"

namespace fovea {
namespace {

Result<Device> open_cpu(std::string reason) {
  FOVEA_ASSIGN(auto backend, make_backend("cpu"));
  return Device{"cpu", std::move(reason), std::move(backend)};
}

std::string processors() {
  const int count = available_processors();
  return fmt::format("{} processor{}", count, count == 1 ? "" : "s");
}

/// 0 of "cuda", N of "cuda:N".
std::optional<int> gpu_index(std::string_view request) {
  if (request == "cuda") return 0;
  if (!request.starts_with("cuda:")) return std::nullopt;
  request.remove_prefix(5);
  int index = 0;
  const auto [end, error] = std::from_chars(request.data(), request.data() + request.size(), index);
  if (error != std::errc() || end != request.data() + request.size() || index < 0) return std::nullopt;
  return index;
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

Result<Device> open_device(std::string_view request, const hardware::SystemView& system) {
  if (request == "cpu") return open_cpu(processors() + ", as asked");
  if (const auto index = gpu_index(request)) {
    auto backend = open_gpu(*index, system);
    if (backend) return Device{fmt::format("cuda:{}", *index), "as asked", std::move(*backend)};
    return fail(Error::Kind::kUnsupported, "device {}: {}; --device cpu, or auto, does without", printable(request),
                backend.error().message);
  }
  if (request != "auto") {
    return fail(Error::Kind::kUsage, "device '{}' is not known: expected auto, cpu, cuda or cuda:N", printable(request));
  }
  auto backend = open_gpu(0, system);
  if (backend) return Device{"cuda:0", "a GPU that works", std::move(*backend)};
  const bool none = backend.error().kind == Error::Kind::kNotFound;
  return open_cpu(fmt::format("{}; {}{}", processors(), none ? "" : "the GPU is not used: ", backend.error().message));
}

}  // namespace fovea
