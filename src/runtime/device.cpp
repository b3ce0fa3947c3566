// SPDX-License-Identifier: Apache-2.0
#include "runtime/device.h"

#include <fmt/format.h>

#include "backend/registry.h"
#include "core/context.h"
#include "core/error.h"

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

}  // namespace

Result<Device> open_device(std::string_view request) {
  if (request == "cpu") return open_cpu(processors() + ", as asked");
  if (request == "cuda" || request.starts_with("cuda:")) {
    FOVEA_ASSIGN(auto backend, make_backend("cuda"));
    return Device{std::string(request), "as asked", std::move(backend)};
  }
  if (request != "auto") {
    return fail(Error::Kind::kUsage, "device '{}' is not known: expected auto, cpu, cuda or cuda:N", printable(request));
  }
  auto cuda = make_backend("cuda");
  if (cuda) return Device{"cuda:0", "a GPU that works", std::move(*cuda)};
  return open_cpu(processors() + "; no GPU (--device cuda says why)");
}

}  // namespace fovea
