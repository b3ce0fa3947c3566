// SPDX-License-Identifier: Apache-2.0
#include "doctor/doctor.h"

#include <fmt/format.h>

#include <array>
#include <oneapi/dnnl/dnnl.hpp>

#include "backend/cpu/kernels/products.h"
#include "backend/cpu/kernels/target.h"
#include "backend/nvjpeg_files.h"
#include "core/available_memory.h"
#include "core/context.h"
#include "core/error.h"
#include "fovea/figures.h"
#include "hardware/gpu.h"
#include "hardware/processor.h"
#include "hardware/rates.h"
#include "runtime/device.h"

namespace fovea {
namespace {

using hardware::GpuFacts;
using hardware::GpuNeeds;
using hardware::SystemView;

// What runs a network; each asks for its device in the same way.
constexpr std::array kVerbs{"train", "predict", "val", "check", "plan", "tag"};

std::string dense_instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41: return "sse4.1";
    case dnnl::cpu_isa::avx: return "avx";
    case dnnl::cpu_isa::avx2: return "avx2";
    case dnnl::cpu_isa::avx2_vnni: return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core: return "avx512";
    case dnnl::cpu_isa::avx512_core_vnni: return "avx512_vnni";
    case dnnl::cpu_isa::avx512_core_bf16: return "avx512_bf16";
    case dnnl::cpu_isa::avx512_core_amx: return "avx512_amx";
    default: return "other";
  }
}

ProcessorReport processor_of(const DoctorOptions& options, const SystemView& system) {
  ProcessorReport report;
  report.name = hardware::processor_name(system);
  report.processors = available_processors();
  if (const auto target = cpu::Target::choose(system.variable("FOVEA_CPU").value_or(""))) {
    report.instruction_set = std::string(target->name());
    if (target->bf16() != cpu::bf16::Unit::kNone) report.bf16 = std::string(name_of(target->bf16()));
  }
  const auto products = cpu::choose_products(system.variable("FOVEA_PRODUCTS").value_or(""));
  report.dense_instruction_set = products && *products == cpu::Products::kOwn ? report.instruction_set : dense_instruction_set();
  report.memory = total_memory(system.root);
  report.free_memory = available_memory(system.root);
  if (!options.measure) return report;
  const int threads = options.threads > 0 ? options.threads : report.processors;
  report.gemm_gflops = hardware::gemm_rate(threads);
  report.copy_gb_s = hardware::copy_rate(threads);
  return report;
}

std::vector<GpuReport> gpus_of(const GpuFacts& facts, const GpuNeeds& needs, const SystemView& system) {
  std::vector<GpuReport> gpus;
  if (facts.driver && !facts.driver->gpus.empty()) {
    for (std::size_t i = 0; i < facts.driver->gpus.size(); ++i) {
      const hardware::DriverGpu& gpu = facts.driver->gpus[i];
      GpuReport report{gpu.name, gpu.address, to_string(gpu.compute_capability), static_cast<std::int64_t>(gpu.total_bytes),
                       {},       {}};
      if (gpu.free_bytes) report.free_memory = static_cast<std::int64_t>(*gpu.free_bytes);
      report.problem = hardware::diagnose(facts, needs, static_cast<int>(i), system).sentence();
      gpus.push_back(std::move(report));
    }
    return gpus;
  }
  for (const hardware::PciGpu& gpu : facts.pci) {
    gpus.push_back({fmt::format("NVIDIA 10de:{:04x}", gpu.device),
                    gpu.address,
                    {},
                    0,
                    {},
                    hardware::diagnose(facts, needs, 0, system).sentence()});
  }
  return gpus;
}

/// For --decode gpu, which nothing else needs: the newest that is there.
LibraryReport nvjpeg_of(const SystemView& system) {
  for (const int major : kNvJpegVersions) {
    const auto library = hardware::find_library(system, {kNvJpegLibrary, major, "nvJPEG"});
    if (!library.found.empty()) return {library.wanted(), library.version, library.found.string()};
  }
  return {nvjpeg_files().front(), "", ""};
}

std::vector<LibraryReport> libraries_of(const GpuFacts& facts, const SystemView& system) {
  const dnnl_version_t* dnnl = dnnl_version();
  std::vector<LibraryReport> libraries{{"oneDNN", fmt::format("{}.{}.{}", dnnl->major, dnnl->minor, dnnl->patch), {}}};
  for (const hardware::LibraryFinding& library : facts.libraries) {
    libraries.push_back({library.wanted(), library.version, library.found.string()});
  }
  if (!facts.libraries.empty()) libraries.push_back(nvjpeg_of(system));
  return libraries;
}

/// Of what `auto` comes to, or of what was asked for.
std::string verdict_of(const DoctorReport& report) {
  if (!report.faults.empty()) return "not as asked: " + report.faults.front();
  const DeviceUse& use = report.uses.front();
  if (use.device != "cpu") return fmt::format("all is well: everything runs on {}", use.device);
  const ProcessorReport& p = report.processor;
  return fmt::format("{}: everything runs on the CPU, {} ({}{}{})", report.gpus.empty() ? "all is well" : "a GPU stands idle",
                     counted(p.processors, "processor"), p.name, p.name.empty() ? "" : ", ", p.instruction_set);
}

}  // namespace

DoctorReport examine(const DoctorOptions& options, const SystemView& system) {
  const double begin = hardware::steady_seconds();
  DoctorReport report;
  const GpuNeeds needs;
  const GpuFacts facts = hardware::probe_gpus(system, needs);
  report.gpu_search_seconds = hardware::steady_seconds() - begin;
  report.driver = facts.module.value_or("");
  if (facts.driver) report.driver_cuda = to_string(facts.driver->cuda);
  report.gpus = gpus_of(facts, needs, system);
  report.libraries = libraries_of(facts, system);

  const auto device = open_device(options.device, system);
  for (const char* verb : kVerbs) {
    if (device) {
      report.uses.push_back({verb, device->name, device->reason});
    } else {
      report.uses.push_back({verb, "", device.error().message});
    }
  }
  if (!device) report.faults.push_back(device.error().message);
  if (!device || device->name == "cpu") {
    const auto found = check_gpu(0, system);
    const auto gpu = found ? open_device("cuda", system) : Result<Device>(found.error());
    if (!gpu) report.no_gpu = gpu.error().message;
  }
  // Last: the measurements disturb nothing then, and a wrong FOVEA_CPU is known.
  report.processor = processor_of(options, system);
  report.verdict = verdict_of(report);
  report.seconds = hardware::steady_seconds() - begin;
  return report;
}

DoctorReport doctor(const DoctorOptions& options) { return examine(options, hardware::this_system()); }

}  // namespace fovea
