// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/softmax.h"

#include <cmath>
#include <utility>

#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"

namespace fovea::cpu {

// Logits are few: one thread does them.

KernelResult prepare_op(const Setup& setup, const graph::Softmax& /*op*/) {
  const std::int64_t n = Setup::rows(setup.input(0)), k = setup.input(0).back();
  return make_kernel({setup.kernel_name("softmax"), 0, 0, 0}, [=, row = softmax_row(setup.target)](const Arguments& a) {
    for (std::int64_t i = 0; i < n; ++i) row(a.inputs[0].f32() + i * k, a.outputs[0].f32() + i * k, k);
  });
}

KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropy& /*op*/) {
  const std::int64_t n = setup.input(0)[0], k = setup.input(0)[1];
  return make_kernel({setup.kernel_name("softmax_cross_entropy"), 0, 0, std::nullopt},
                     [=, row = softmax_row(setup.target)](const Arguments& a) {
                       double loss = 0;
                       for (std::int64_t i = 0; i < n; ++i) {
                         const float* logits = a.inputs[0].f32() + i * k;
                         const float* targets = a.inputs[1].f32() + i * k;
                         const SoftmaxTerms terms = row(logits, a.outputs[1].f32() + i * k, k);
                         const double log_sum = std::log(static_cast<double>(terms.sum)) + static_cast<double>(terms.largest);
                         double sum = 0;
                         for (std::int64_t j = 0; j < k; ++j)
                           sum += static_cast<double>(targets[j]) * (log_sum - static_cast<double>(logits[j]));
                         loss += static_cast<double>(a.inputs[2].f32()[i]) * sum;
                       }
                       *a.outputs[0].f32() = static_cast<float>(loss);
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropyBackward& /*op*/) {
  const std::int64_t n = setup.input(0)[0], k = setup.input(0)[1];
  return make_kernel({"cpu/softmax_cross_entropy_backward", 0, 0, 0}, [=](const Arguments& a) {
    for (std::int64_t i = 0; i < n; ++i) {
      const float* p = a.inputs[0].f32() + i * k;
      const float* targets = a.inputs[1].f32() + i * k;
      const float weight = a.inputs[2].f32()[i];
      float* dlogits = a.outputs[0].f32() + i * k;
      double total = 0;
      for (std::int64_t j = 0; j < k; ++j) total += static_cast<double>(targets[j]);
      for (std::int64_t j = 0; j < k; ++j) dlogits[j] = weight * (p[j] * static_cast<float>(total) - targets[j]);
    }
  });
}

}  // namespace fovea::cpu
