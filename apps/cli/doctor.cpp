// SPDX-License-Identifier: Apache-2.0
#include "fovea/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/figures.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct DoctorFlags {
  DoctorOptions options;
  OutputFlags output;
};

std::string gigabytes(std::int64_t bytes) { return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9); }

nlohmann::ordered_json json_of(const GpuReport& gpu) {
  nlohmann::ordered_json object{{"name", gpu.name}, {"address", gpu.address}};
  if (!gpu.compute_capability.empty()) object["compute_capability"] = gpu.compute_capability;
  if (gpu.memory > 0) object["memory_bytes"] = gpu.memory;
  if (gpu.free_memory) object["free_memory_bytes"] = *gpu.free_memory;
  if (!gpu.problem.empty()) object["problem"] = gpu.problem;
  return object;
}

void print_json(Console& console, const DoctorReport& report) {
  const ProcessorReport& p = report.processor;
  nlohmann::ordered_json gpus = nlohmann::ordered_json::array();
  for (const GpuReport& gpu : report.gpus) gpus.push_back(json_of(gpu));
  nlohmann::ordered_json libraries = nlohmann::ordered_json::array();
  for (const LibraryReport& library : report.libraries)
    libraries.push_back({{"name", library.name}, {"version", library.version}, {"path", library.path}});
  nlohmann::ordered_json uses = nlohmann::ordered_json::array();
  for (const DeviceUse& use : report.uses) uses.push_back({{"verb", use.verb}, {"device", use.device}, {"reason", use.reason}});
  console.print_json({{"verdict", report.verdict},
                      {"faults", report.faults},
                      {"processor",
                       {{"name", p.name},
                        {"processors", p.processors},
                        {"instruction_set", p.instruction_set},
                        {"dense_instruction_set", p.dense_instruction_set},
                        {"bf16", p.bf16},
                        {"memory_bytes", p.memory},
                        {"free_memory_bytes", p.free_memory},
                        {"gemm_gflops", p.gemm_gflops},
                        {"copy_gb_s", p.copy_gb_s}}},
                      {"driver", report.driver},
                      {"driver_cuda", report.driver_cuda},
                      {"gpus", gpus},
                      {"no_gpu", report.no_gpu},
                      {"libraries", libraries},
                      {"uses", uses},
                      {"gpu_search_seconds", report.gpu_search_seconds},
                      {"seconds", report.seconds}});
}

void print_text(Console& console, const DoctorReport& report) {
  const auto row = [&](std::string_view what, const std::string& text) {
    console.print(fmt::format("{:<12} {}", what, wrapped(text, 66, 13)));
  };
  console.print(wrapped(report.verdict, 79, 2));
  const ProcessorReport& p = report.processor;
  row("processor", fmt::format("{} of {}", p.processors, p.name.empty() ? "unknown kind" : p.name));
  row("instructions", fmt::format("{} in Fovea's own kernels, {} in dense products",
                                  p.instruction_set.empty() ? "none" : p.instruction_set, p.dense_instruction_set));
  row("bf16", p.bf16.empty() ? "not multiplied by this processor" : fmt::format("multiplied in training, by {}", p.bf16));
  row("memory", fmt::format("{}, {} of it free", gigabytes(p.memory), gigabytes(p.free_memory)));
  if (p.gemm_gflops > 0)
    row("measured", fmt::format("{:.0f} GFLOP/s in fp32 products, {:.1f} GB/s copied", p.gemm_gflops, p.copy_gb_s));
  row("driver", report.driver.empty() ? "no NVIDIA driver is loaded"
                                      : fmt::format("NVIDIA {}{}", report.driver,
                                                    report.driver_cuda.empty() ? "" : ", up to CUDA " + report.driver_cuda));
  for (const GpuReport& gpu : report.gpus) {
    std::string text = gpu.name + " at " + gpu.address;
    if (!gpu.compute_capability.empty()) text += ", compute capability " + gpu.compute_capability;
    if (gpu.memory > 0) text += ", " + gigabytes(gpu.memory);
    if (gpu.free_memory) text += fmt::format(", {} free", gigabytes(*gpu.free_memory));
    if (!gpu.problem.empty()) text += ": " + gpu.problem;
    row("gpu", text);
  }
  if (!report.no_gpu.empty()) row("no gpu", report.no_gpu);
  for (const LibraryReport& library : report.libraries) {
    const std::string where = library.path.empty() ? "" : " in " + library.path;
    row("library", fmt::format("{} {}{}", library.name, library.version.empty() ? "not found" : library.version, where));
  }
  const auto said = [](const DeviceUse& use, std::string_view where) {
    return use.device.empty() ? fmt::format("{}not at all: {}", where, use.reason)
                              : fmt::format("{}on {}: {}", where, use.device, use.reason);
  };
  const DeviceUse& first = report.uses.front();
  if (std::ranges::all_of(report.uses,
                          [&](const DeviceUse& u) { return u.device == first.device && u.reason == first.reason; })) {
    return row("verbs", said(first, "all "));
  }
  for (const DeviceUse& use : report.uses) row(use.verb, said(use, ""));
}

int doctor_verb(const DoctorFlags& flags) {
  Console console("doctor", flags.output);
  console.busy("measuring");
  const DoctorReport report = doctor(flags.options);
  console.clear_progress();
  if (console.json()) {
    print_json(console, report);
  } else {
    print_text(console, report);
    console.note(fmt::format("in {}", duration(report.seconds)));
  }
  return report.faults.empty() ? kDone : kSomeFailed;
}

}  // namespace

Run add_doctor(CLI::App& app) {
  auto flags = std::make_shared<DoctorFlags>();
  DoctorOptions& options = flags->options;
  app.description(
      "What hardware and libraries are here, which device will be used, and why not the\n"
      "others.\n"
      "Exit status 1: what --device or FOVEA_CPU asks for cannot be used.\n\n"
      "  fovea doctor\n"
      "  fovea doctor --device cuda         why the GPU is not used, and what to do");
  app.add_option("--device", options.device, "auto, cpu, cuda or cuda:N: what would be asked for")
      ->check(device_name())
      ->type_name("DEVICE")
      ->capture_default_str();
  app.add_flag_callback(
      "--no-measuring", [&options] { options.measure = false; }, "leave out the rates, which take a second");
  app.add_option("--threads", options.threads, "threads to measure with; 0: every processor")
      ->check(whole_number(0, 1024))
      ->capture_default_str();
  add_output_flags(app, flags->output);
  return [flags] { return doctor_verb(*flags); };
}

}  // namespace fovea::cli
