// SPDX-License-Identifier: Apache-2.0
#include "estimate/gpu_models.h"

#include <array>
#include <cctype>

#include "core/error.h"

namespace fovea::estimate {
namespace {

constexpr std::string_view kTuring = "NVIDIA T4 datasheet";
constexpr std::string_view kAmpere = "NVIDIA Ampere GA102 GPU Architecture, appendix A";
constexpr std::string_view kAmpere106 =
    "NVIDIA's GeForce RTX 3060 specifications; tensor rates as GA102 GPU Architecture relates them to fp32";
constexpr std::string_view kAda = "NVIDIA Ada GPU Architecture, appendix A";
constexpr std::string_view kAdaOther =
    "NVIDIA's GeForce RTX 40 specifications; tensor rates as Ada GPU Architecture relates them to fp32";
constexpr std::string_view kBlackwell = "NVIDIA RTX Blackwell GPU Architecture, appendix A";
constexpr std::string_view kA100 = "NVIDIA A100 Tensor Core GPU datasheet (SXM)";
constexpr std::string_view kL4 = "NVIDIA L4 Tensor Core GPU datasheet";
constexpr std::string_view kL40S = "NVIDIA L40S datasheet";
constexpr std::string_view kH100 = "NVIDIA H100 Tensor Core GPU datasheet (SXM)";
constexpr std::string_view kH200 = "NVIDIA H200 Tensor Core GPU datasheet (SXM)";

constexpr std::array kModels{
    GpuModel{"T4", 300, 8.1, 0, 65, 16, 7.5, kTuring},
    GpuModel{"RTX 3060", 360, 12.7, 12.7, 25.5, 12, 8.6, kAmpere106},
    GpuModel{"RTX 3080", 760, 29.8, 29.8, 59.5, 10, 8.6, kAmpere},
    GpuModel{"RTX 3090", 936, 35.6, 35.6, 71, 24, 8.6, kAmpere},
    GpuModel{"RTX 4060", 272, 15.1, 15.1, 30.2, 8, 8.9, kAdaOther},
    GpuModel{"RTX 4060 Ti", 288, 22.1, 22.1, 44.1, 8, 8.9, kAdaOther},
    GpuModel{"RTX 4070", 504, 29.1, 29.1, 58.3, 12, 8.9, kAdaOther},
    GpuModel{"RTX 4080", 717, 48.7, 48.7, 97.5, 16, 8.9, kAda},
    GpuModel{"RTX 4090", 1008, 82.6, 82.6, 165.2, 24, 8.9, kAda},
    GpuModel{"RTX 5080", 960, 56.3, 56.3, 112.6, 16, 12.0, kBlackwell},
    GpuModel{"RTX 5090", 1792, 104.8, 104.8, 209.5, 32, 12.0, kBlackwell},
    GpuModel{"A100", 2039, 19.5, 156, 312, 80, 8.0, kA100},
    GpuModel{"L4", 300, 30.3, 60, 121, 24, 8.9, kL4},
    GpuModel{"L40S", 864, 91.6, 183, 362, 48, 8.9, kL40S},
    GpuModel{"H100", 3350, 67, 494, 989, 80, 9.0, kH100},
    GpuModel{"H200", 4800, 67, 494, 989, 141, 9.0, kH200},
};

/// "RTX-4060 Ti" and "NVIDIA GeForce RTX 4060 Ti" become "rtx4060ti".
std::string plain(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (const std::string_view brand : {"nvidia", "geforce", "tesla"}) {
    if (text.starts_with(brand)) text.erase(0, brand.size());
  }
  return text;
}

}  // namespace

std::span<const GpuModel> gpu_models() { return kModels; }

double tflops_of(const GpuModel& gpu, graph::Precision precision) {
  switch (precision) {
    case graph::Precision::kF32: return gpu.fp32_tflops;
    case graph::Precision::kTF32: return gpu.tf32_tflops;
    case graph::Precision::kBF16:
    case graph::Precision::kFP16: break;
  }
  return gpu.half_tflops;
}

Result<GpuModel> find_gpu_model(std::string_view name) {
  std::string known;
  for (const GpuModel& model : kModels) {
    if (plain(model.name) == plain(name)) return model;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", model.name);
  }
  return fail(Error::Kind::kNotFound, "GPU '{}': nothing is known about it; expected one of {}", printable(name), known);
}

}  // namespace fovea::estimate
