// SPDX-License-Identifier: Apache-2.0
#include "image/resample_weights.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

// Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -1/2.
double keys_cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  return 0.0;
}

std::int32_t fixed_point(double weight) {
  return static_cast<std::int32_t>(weight * (1 << kWeightBits) + (weight < 0 ? -0.5 : 0.5));
}

}  // namespace

ResampleWeights resample_weights(int inputs, double begin, double end, int outputs, Filter filter, int first, int count) {
  const auto kernel = filter == Filter::kBilinear ? triangle : keys_cubic;
  const double radius = filter == Filter::kBilinear ? 1.0 : 2.0;
  // The edges in single precision, as Pillow holds them: otherwise fractional boxes would differ in the last bit.
  const auto low = static_cast<float>(begin);
  const double scale = static_cast<double>(static_cast<float>(end) - low) / outputs;
  const double stretch = std::max(scale, 1.0);
  const double support = radius * stretch;

  ResampleWeights weights;
  weights.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  weights.spans.resize(static_cast<std::size_t>(count));
  weights.values.resize(static_cast<std::size_t>(count) * static_cast<std::size_t>(weights.stride));
  std::vector<double> exact(static_cast<std::size_t>(weights.stride));
  for (int i = 0; i < count; ++i) {
    const double center = static_cast<double>(low) + (first + i + 0.5) * scale;
    const int from = std::max(static_cast<int>(std::floor(center - support + 0.5)), 0);
    const int taps = std::min(static_cast<int>(std::floor(center + support + 0.5)), inputs) - from;
    double sum = 0;
    for (int tap = 0; tap < taps; ++tap) {
      exact[static_cast<std::size_t>(tap)] = kernel((tap + from - center + 0.5) * (1.0 / stretch));
      sum += exact[static_cast<std::size_t>(tap)];
    }
    weights.spans[static_cast<std::size_t>(i)] = {from, taps};
    std::int32_t* values = weights.values.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(weights.stride);
    for (int tap = 0; tap < taps; ++tap) {
      const double weight = exact[static_cast<std::size_t>(tap)];
      values[tap] = fixed_point(sum == 0.0 ? weight : weight / sum);
    }
  }
  return weights;
}

ResampleWeights::Span localize(ResampleWeights& weights) {
  const int first = weights.spans.front().first;
  const int end = weights.spans.back().first + weights.spans.back().count;
  for (ResampleWeights::Span& span : weights.spans) span.first -= first;
  return {first, end - first};
}

}  // namespace fovea
