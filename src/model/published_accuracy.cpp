// SPDX-License-Identifier: Apache-2.0
#include "model/published_accuracy.h"

namespace fovea {
namespace {

struct Accuracy {
  double multiplier;
  double top1;
};
// Of TensorFlow's model zoo, the TPU repository of EfficientNet-Lite, and the documentation of YOLO11.
constexpr Accuracy kMobileNet[] = {{0.35, 60.3}, {0.5, 65.4}, {0.75, 69.8}, {1.0, 71.8}, {1.3, 74.4}, {1.4, 75.0}};
constexpr double kLite[] = {75.1, 76.7, 77.6, 79.8, 81.5};
constexpr double kYolo[] = {70.0, 75.4, 77.3, 78.3, 79.5};

}  // namespace

std::optional<double> published_accuracy(const NetworkSpec& spec) {
  const auto size = static_cast<std::size_t>(spec.size);
  switch (spec.family) {
    case NetworkFamily::kMobileNetV2:
      for (const Accuracy& known : kMobileNet) {
        if (known.multiplier == spec.width_multiplier) return known.top1;
      }
      return std::nullopt;
    case NetworkFamily::kEfficientNetLite: return kLite[size];
    case NetworkFamily::kYolo11Cls: return kYolo[size];
  }
  return std::nullopt;
}

}  // namespace fovea
