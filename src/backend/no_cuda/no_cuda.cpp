// Fovea: stands in for the CUDA backend in a build without it.
// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda_backend.h"
#include "backend/gpu_sort.h"
#include "backend/gpu_team.h"
#include "core/error.h"

namespace fovea {

namespace {

Error none() { return fail(Error::Kind::kUnsupported, "this build of Fovea has no CUDA backend"); }

}  // namespace

Result<std::unique_ptr<Backend>> make_cuda_backend(int /*device*/) { return none(); }
Result<GpuSortTimes> sort_on_gpu(int /*device*/, std::span<std::uint32_t> /*numbers*/, int /*runs*/) { return none(); }
Result<std::vector<std::unique_ptr<Communicator>>> make_gpu_team(std::span<const int> /*devices*/) { return none(); }

}  // namespace fovea
