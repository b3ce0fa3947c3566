// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "hardware/gpu.h"

namespace fovea::hardware {
namespace {

constexpr const char* kUpdate = "update the NVIDIA driver and restart";

std::string gigabytes(std::uint64_t bytes) { return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9); }

std::string gpus_on_pci(const GpuFacts& facts) {
  if (facts.pci.empty()) return facts.wsl ? "a GPU by way of Windows" : "a GPU";
  const PciGpu& first = facts.pci.front();
  const std::string one = fmt::format("an NVIDIA GPU (10de:{:04x} at {})", first.device, first.address);
  return facts.pci.size() == 1
             ? one
             : fmt::format("{} NVIDIA GPUs, such as 10de:{:04x} at {}", facts.pci.size(), first.device, first.address);
}

GpuDiagnosis no_driver(const GpuFacts& facts) {
  const auto other = std::ranges::find_if(
      facts.pci, [](const PciGpu& gpu) { return !gpu.kernel_module.empty() && gpu.kernel_module != "nvidia"; });
  if (other != facts.pci.end()) {
    return {GpuProblem::kNoDriver,
            fmt::format("there is {}, but the kernel module '{}' drives it, not NVIDIA's", gpus_on_pci(facts),
                        printable(other->kernel_module)),
            "install the NVIDIA driver (Debian: the package nvidia-driver) and restart"};
  }
  return {GpuProblem::kNoDriver, fmt::format("there is {}, but no NVIDIA driver is loaded", gpus_on_pci(facts)),
          "install the NVIDIA driver (Debian: the package nvidia-driver) and restart"};
}

/// Whether the variable leaves nothing: it is read up to the first entry that is none.
bool hides_all(const std::string& visible) { return visible.empty() || visible.starts_with('-') || visible == "NoDevFiles"; }

GpuDiagnosis driver_trouble(const GpuFacts& facts, const GpuNeeds& needs) {
  const std::string module = facts.module && !facts.module->empty() ? "driver " + *facts.module : "the driver";
  if (facts.driver_library.empty()) {
    return {GpuProblem::kDriverBroken,
            fmt::format("{} is loaded, but its library libcuda.so.1 is in none of {}", module, fmt::join(facts.folders, ", ")),
            facts.container ? "start the container with NVIDIA's container toolkit (--gpus all)"
                            : "install the driver's libraries (Debian: libcuda1)"};
  }
  if (!facts.driver_failure.empty()) return {GpuProblem::kDriverBroken, facts.driver_failure, "reinstall the NVIDIA driver"};
  if (facts.driver && facts.driver->cuda < needs.cuda) {
    return {GpuProblem::kDriverTooOld,
            fmt::format("{} can run CUDA up to {}, and Fovea needs {} (driver {} or newer)", module,
                        to_string(facts.driver->cuda), to_string(needs.cuda), needs.driver_major),
            kUpdate};
  }
  const auto version = parse_version(facts.module.value_or(""));
  if (!facts.driver && version && version->major < needs.driver_major) {
    return {GpuProblem::kDriverTooOld, fmt::format("{} is too old: Fovea needs {} or newer", module, needs.driver_major),
            kUpdate};
  }
  return {};
}

GpuDiagnosis library_trouble(const GpuFacts& facts) {
  for (const LibraryFinding& library : facts.libraries) {
    if (!library.found.empty()) continue;
    if (library.others.empty()) {
      return {GpuProblem::kLibraryMissing, fmt::format("{} is in none of {}", library.wanted(), fmt::join(facts.folders, ", ")),
              fmt::format("install {}, or name its folder in LD_LIBRARY_PATH", library.need.package)};
    }
    return {GpuProblem::kLibraryWrongVersion,
            fmt::format("{} is needed, and what is there is {}", library.wanted(), library.others.front().string()),
            fmt::format("install {} beside it", library.need.package)};
  }
  return {};
}

std::string holders(const DriverGpu& gpu, const SystemView& system) {
  std::string text;
  constexpr std::size_t kMost = 3;
  for (std::size_t i = 0; i < std::min(kMost, gpu.processes.size()); ++i) {
    const GpuProcess& process = gpu.processes[i];
    const auto name = read_small(system.at(fmt::format("proc/{}/comm", process.pid)), 64);
    text += fmt::format("{}{} ({}) {}", i == 0 ? ", held by " : ", ", name ? printable(*name) : "process", process.pid,
                        gigabytes(process.bytes));
  }
  return text;
}

GpuDiagnosis memory_trouble(const DriverGpu& gpu, const GpuNeeds& needs, int index, const SystemView& system) {
  const std::uint64_t needed = needs.bytes + static_cast<std::uint64_t>(std::max(needs.batch, 1)) * needs.photo_bytes;
  if (!gpu.free_bytes || needed <= *gpu.free_bytes) return {};
  const std::string what =
      fmt::format("GPU {} ({}) has {} of {} free, and {} are needed{}", index, gpu.name, gigabytes(*gpu.free_bytes),
                  gigabytes(gpu.total_bytes), gigabytes(needed), holders(gpu, system));
  const std::uint64_t fits =
      needs.photo_bytes > 0 && *gpu.free_bytes > needs.bytes ? (*gpu.free_bytes - needs.bytes) / needs.photo_bytes : 0;
  return {GpuProblem::kTooLittleMemory, what,
          fits > 0 ? fmt::format("--batch {} would fit", fits) : "end what holds it, or use a smaller network"};
}

GpuDiagnosis trouble_of(const GpuFacts& facts, const GpuNeeds& needs, int index, const SystemView& system) {
  const std::vector<DriverGpu>& gpus = facts.driver->gpus;
  if (gpus.empty() || !facts.driver->trouble.empty()) {
    return {GpuProblem::kDriverBroken,
            "the driver gives no GPU: " + (facts.driver->trouble.empty() ? "it counts none" : facts.driver->trouble),
            "restart; if that does not help, reinstall the NVIDIA driver"};
  }
  if (static_cast<std::size_t>(index) >= gpus.size()) {
    const std::string because = facts.visible ? fmt::format(" (CUDA_VISIBLE_DEVICES={})", printable(*facts.visible)) : "";
    return {GpuProblem::kNoSuchGpu, fmt::format("there is no GPU {}: {} can be used{}", index, gpus.size(), because),
            fmt::format("choose from cuda:0 to cuda:{}", gpus.size() - 1)};
  }
  const DriverGpu& gpu = gpus[static_cast<std::size_t>(index)];
  if (gpu.compute_capability < needs.compute_capability) {
    return {GpuProblem::kGpuTooOld,
            fmt::format("GPU {} ({}) has compute capability {}, and Fovea needs {} or newer", index, gpu.name,
                        to_string(gpu.compute_capability), to_string(needs.compute_capability)),
            "use --device cpu"};
  }
  return memory_trouble(gpu, needs, index, system);
}

}  // namespace

std::string_view name_of(GpuProblem problem) {
  switch (problem) {
    case GpuProblem::kNone: return "none";
    case GpuProblem::kNoHardware: return "no hardware";
    case GpuProblem::kNoDriver: return "no driver";
    case GpuProblem::kNoDeviceInContainer: return "not in the container";
    case GpuProblem::kHidden: return "hidden";
    case GpuProblem::kDriverBroken: return "driver broken";
    case GpuProblem::kDriverTooOld: return "driver too old";
    case GpuProblem::kLibraryMissing: return "library missing";
    case GpuProblem::kLibraryWrongVersion: return "library of the wrong version";
    case GpuProblem::kNoSuchGpu: return "no such GPU";
    case GpuProblem::kGpuTooOld: return "GPU too old";
    case GpuProblem::kTooLittleMemory: return "too little memory";
  }
  return "";
}

GpuDiagnosis diagnose(const GpuFacts& facts, const GpuNeeds& needs, int index, const SystemView& system) {
  if (facts.pci.empty() && !facts.wsl && !facts.module && !facts.device_nodes) {
    return {GpuProblem::kNoHardware, "this machine has no NVIDIA GPU", {}};
  }
  if (!facts.module && !facts.wsl && !facts.device_nodes && !facts.container) return no_driver(facts);
  if (!facts.device_nodes) {
    if (facts.container) {
      return {GpuProblem::kNoDeviceInContainer,
              fmt::format("there is {}, but this container has no /dev/nvidia0", gpus_on_pci(facts)),
              "start it with the GPU (docker run --gpus all)"};
    }
    return {GpuProblem::kDriverBroken, "NVIDIA's kernel module is loaded, but there is no /dev/nvidia0",
            "run nvidia-modprobe -u -c=0, or restart"};
  }
  if (facts.visible && hides_all(*facts.visible)) {
    return {GpuProblem::kHidden, fmt::format("CUDA_VISIBLE_DEVICES='{}' hides every GPU", printable(*facts.visible)),
            "unset it, or name a GPU in it"};
  }
  if (auto trouble = driver_trouble(facts, needs); !trouble.usable()) return trouble;
  if (auto trouble = library_trouble(facts); !trouble.usable()) return trouble;
  return trouble_of(facts, needs, index, system);
}

}  // namespace fovea::hardware
