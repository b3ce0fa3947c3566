// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"

namespace fovea::cpu {

// Logits are few: one thread does them, in double.

KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropy& /*op*/) {
  const std::int64_t n = setup.input(0)[0], k = setup.input(0)[1];
  return make_kernel({"cpu/sigmoid_binary_cross_entropy", 0, 0, std::nullopt}, [=](const Arguments& a) {
    double loss = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::int64_t j = i * k; j < (i + 1) * k; ++j) {
        const double z = static_cast<double>(a.inputs[0].f32()[j]);
        const double rest = std::exp(-std::abs(z));  // of the less likely answer
        // Targets between 0 and 1: -t log p - (1 - t) log(1 - p) = max(z, 0) - t z + log(1 + exp(-|z|)).
        sum += std::max(z, 0.0) - static_cast<double>(a.inputs[1].f32()[j]) * z + std::log1p(rest);
        a.outputs[1].f32()[j] = static_cast<float>((z < 0 ? rest : 1) / (1 + rest));
      }
      loss += static_cast<double>(a.inputs[2].f32()[i]) * sum;
    }
    *a.outputs[0].f32() = static_cast<float>(loss);
  });
}

KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropyBackward& /*op*/) {
  const std::int64_t n = setup.input(0)[0], k = setup.input(0)[1];
  return make_kernel({"cpu/sigmoid_binary_cross_entropy_backward", 0, 0, 0}, [=](const Arguments& a) {
    for (std::int64_t i = 0; i < n; ++i) {
      const float weight = a.inputs[2].f32()[i];
      for (std::int64_t j = i * k; j < (i + 1) * k; ++j)
        a.outputs[0].f32()[j] = weight * (a.inputs[0].f32()[j] - a.inputs[1].f32()[j]);
    }
  });
}

}  // namespace fovea::cpu
