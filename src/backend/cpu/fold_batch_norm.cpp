// SPDX-License-Identifier: Apache-2.0
//
// Batch normalisation with stored statistics, folded into the weights before it. One filter at a time.
#include <cmath>
#include <utility>

#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Filters that are worth a thread.
constexpr std::int64_t kGrain = 32;

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNorm& op) {
  const std::int64_t filters = setup.input(0)[0];
  const std::int64_t size = setup.input(0).elements() / filters;
  return make_kernel({setup.kernel_name("fold_batch_norm"), 0, 0, 0},
                     [=, context = setup.context, scale = elementwise(setup.target).scale](const Arguments& a) {
                       parallel_ranges(context, filters, kGrain, [&](Range r) {
                         for (std::int64_t k = r.begin; k < r.end; ++k) {
                           const float factor = a.inputs[1].f32()[k] / std::sqrt(a.inputs[4].f32()[k] + op.eps);
                           scale(factor, a.inputs[0].f32() + k * size, a.outputs[0].f32() + k * size, size);
                           a.outputs[1].f32()[k] = a.inputs[2].f32()[k] - a.inputs[3].f32()[k] * factor;
                         }
                       });
                     });
}

// With f = gamma / s: dw = f dw', dgamma = (dw' . w - mean db') / s, dbeta = db'.
KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNormBackward& op) {
  const std::int64_t filters = setup.input(0)[0];
  const std::int64_t size = setup.input(0).elements() / filters;
  return make_kernel({setup.kernel_name("fold_batch_norm_backward"), 0, 0, 4},
                     [=, context = setup.context, kernels = elementwise(setup.target)](const Arguments& a) {
                       const float* w = a.inputs[0].f32();
                       const float* dw_folded = a.inputs[4].f32();
                       parallel_ranges(context, filters, kGrain, [&](Range r) {
                         for (std::int64_t k = r.begin; k < r.end; ++k) {
                           const float s = std::sqrt(a.inputs[3].f32()[k] + op.eps);
                           const float db = a.inputs[5].f32()[k];
                           const float product = kernels.dot(w + k * size, dw_folded + k * size, size);
                           a.outputs[1].f32()[k] = (product - a.inputs[2].f32()[k] * db) / s;
                           a.outputs[2].f32()[k] = db;
                           kernels.scale(a.inputs[1].f32()[k] / s, dw_folded + k * size, a.outputs[0].f32() + k * size, size);
                         }
                       });
                     });
}

}  // namespace fovea::cpu
