// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "backend/cpu/convolution_bf16.h"
#include "backend/cpu/dense.h"
#include "backend/cpu/kernels/column_sums.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/onednn/convolution.h"
#include "backend/cpu/onednn/matmul.h"
#include "backend/cpu/onednn/parts.h"
#include "backend/cpu/onednn/weights.h"
#include "backend/cpu/part_sums.h"
#include "backend/cpu/setup.h"
#include "backend/cpu/weight_gradient.h"
#include "backend/cpu/weight_gradient_bf16.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

using onednn::Convolution;
using onednn::Parts;

/// As for the forward convolution: work worth a part, and how many there may be.
constexpr double kFlopsPerPart = 1e6;
constexpr std::int64_t kMaxParts = 64;
/// Sums over positions have fewer: each part has its own partial sum.
constexpr std::int64_t kMaxSums = 8;
/// Rows or columns of a weight that make a part.
constexpr std::int64_t kWeightsPerPart = 32;

std::int64_t parts_for(double flops, std::int64_t limit) {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(flops / kFlopsPerPart), 1, std::max<std::int64_t>(limit, 1));
}

/// The weights' gradient of a convolution with a real window, by groups of images.
KernelResult windowed_weight_gradient(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  enum Base : std::size_t { kX, kDy, kSums };
  const onednn::ThreadSetting single(1);
  const Convolution whole(op.window, setup.input(0), setup.input(1).back(), op.precision);
  const std::int64_t count = onednn::equal_parts(whole.x[0], parts_for(whole.flops(), std::min(whole.x[0], kMaxSums)));
  const std::int64_t x_image = whole.x[1] * whole.x[2] * whole.x[3];
  const std::int64_t y_image = whole.y[1] * whole.y[2] * whole.y[3];
  const std::int64_t k = whole.w[0];
  // What is added up to a bias is not rounded here: where dy is, that takes a pass of its own.
  const bool bias_here = op.bias && !whole.rounds(setup.input_type(1));
  const ColumnSums db(setup.target, setup.context, Setup::rows(setup.input(1)), k);

  Parts parts;
  dnnl::memory::desc weights;
  bool plain = false;
  std::int64_t sum = 0;   // floats of one partial sum: dw in oneDNN's order, then db
  std::int64_t bias = 0;  // where db starts in it
  for (std::int64_t i = 0; i < count; ++i) {
    const Range r = part_of(whole.x[0], count, i);
    const auto made = whole.images(r.size()).backward_weight(bias_here, i == 0 ? whole.any_weight_gradient() : weights);
    if (i == 0) {
      weights = made.diff_weights_desc();
      bias = static_cast<std::int64_t>(align_up(weights.get_size()) / sizeof(float));
      sum = bias +
            (bias_here ? static_cast<std::int64_t>(align_up(static_cast<std::size_t>(k) * sizeof(float)) / sizeof(float)) : 0);
    }
    plain = plain || onednn::is_plain(made.impl_info_str());
    const onednn::Operand x{DNNL_ARG_SRC, made.src_desc(), kX, r.begin * x_image, whole.rounds(setup.input_type(0))};
    const onednn::Operand dy{DNNL_ARG_DIFF_DST, made.diff_dst_desc(), kDy, r.begin * y_image, whole.rounds(setup.input_type(1))};
    const onednn::Operand dw{DNNL_ARG_DIFF_WEIGHTS, weights, kSums, i * sum};
    const dnnl::convolution_backward_weights primitive(made);
    if (bias_here) {
      parts.add(primitive, made.scratchpad_desc(),
                {x, dy, dw, {DNNL_ARG_DIFF_BIAS, made.diff_bias_desc(), kSums, i * sum + bias}});
    } else {
      parts.add(primitive, made.scratchpad_desc(), {x, dy, dw});
    }
  }
  const Context context = setup.context;
  const onednn::WeightPacking unpacking(weights, whole.plain_weights());
  const std::size_t sums_bytes = static_cast<std::size_t>(count * sum) * sizeof(float);
  KernelTraits traits{onednn::name("conv2d_backward_weight", op.precision, plain), 0,
                      sums_bytes + std::max(parts.scratch_bytes(context), db.scratch_bytes()), std::nullopt};
  return make_kernel(std::move(traits),
                     [=, parts = std::move(parts), sum_parts = elementwise(setup.target).sum_parts](const Arguments& a) {
                       float* const sums = reinterpret_cast<float*>(a.scratch);
                       std::byte* const bases[] = {a.inputs[0].data, a.inputs[1].data, a.scratch};
                       parts.run(context, bases, a.scratch + sums_bytes);
                       add_up_parts(context, sum_parts, sums, count, sum);
                       unpacking.run(context, sums, a.outputs[0].data);
                       if (bias_here) std::copy_n(sums + bias, k, a.outputs[1].f32());
                       if (op.bias && !bias_here)
                         db.run(a.inputs[1].f32(), a.outputs[1].f32(), reinterpret_cast<float*>(a.scratch + sums_bytes));
                     });
}

/// dw (K,C) of a pointwise convolution with few positions and many weights: rows or columns of dw are dealt out, and nothing
/// needs to be added up.
KernelResult weight_gradient_by_weights(const Setup& setup, std::int64_t rows, std::int64_t k, std::int64_t c) {
  enum Base : std::size_t { kX, kDy, kDw };
  const onednn::ThreadSetting single(1);
  const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(k) * static_cast<double>(c);
  const std::int64_t count = onednn::equal_parts(std::max(k, c), parts_for(flops, std::max(k, c) / kWeightsPerPart));
  Parts parts;
  for (std::int64_t i = 0; i < count; ++i) {
    if (k >= c) {
      const Range r = part_of(k, count, i);
      onednn::add_product(parts, {r.size(), c, rows, {kDy, r.begin, 1, k}, {kX, 0, c, 1}, {kDw, r.begin * c, c, 1}});
    } else {
      const Range r = part_of(c, count, i);
      onednn::add_product(parts, {k, r.size(), rows, {kDy, 0, 1, k}, {kX, r.begin, c, 1}, {kDw, r.begin, c, 1}});
    }
  }
  const Context context = setup.context;
  const ColumnSums db(setup.target, context, rows, k);
  KernelTraits traits{"onednn/pointwise_backward_weight", 0, std::max(parts.scratch_bytes(context), db.scratch_bytes()),
                      std::nullopt};
  return make_kernel(std::move(traits), [=, parts = std::move(parts)](const Arguments& a) {
    std::byte* const bases[] = {a.inputs[0].data, a.inputs[1].data, a.outputs[0].data};
    parts.run(context, bases, a.scratch);
    if (a.outputs.size() == 2) db.run(a.inputs[1].f32(), a.outputs[1].f32(), reinterpret_cast<float*>(a.scratch));
  });
}

KernelResult pointwise_weight_gradient(const Setup& setup) {
  const std::int64_t rows = Setup::rows(setup.input(0)), c = setup.input(0).back(), k = setup.input(1).back();
  return goes_by_positions(rows, k, c) ? prepare_weight_gradient_by_positions(setup)
                                       : weight_gradient_by_weights(setup, rows, k, c);
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardInput& op) {
  if (setup.products == Products::kOwn) return prepare_dense(setup, op);
  if (has_own_convolution_bf16(op, setup.target)) return prepare_convolution_bf16(setup, op);
  enum Base : std::size_t { kDy, kW, kDx };
  const onednn::ThreadSetting single(1);
  const bool pointwise = onednn::is_pointwise(op.window);
  Convolution whole(op.window, pointwise ? onednn::as_rows(op.input) : op.input, setup.input(0).back(), op.precision);
  whole.results = onednn::type_of(setup.output_type(0));
  // A pointwise one is cut by rows, another one by images.
  const std::int64_t units = pointwise ? whole.x[2] : whole.x[0];
  const std::int64_t count = onednn::equal_parts(units, parts_for(whole.flops(), std::min(units, kMaxParts)));
  const std::int64_t x_unit = whole.x[0] * whole.x[1] * whole.x[2] * whole.x[3] / units;
  const std::int64_t y_unit = whole.y[0] * whole.y[1] * whole.y[2] * whole.y[3] / units;
  Parts parts;
  dnnl::memory::desc weights = whole.any_weights();
  bool plain = false;
  for (std::int64_t i = 0; i < count; ++i) {
    const Range r = part_of(units, count, i);
    std::int64_t first_row = 0;
    const Convolution part = pointwise ? whole.band(r.begin, r.end, first_row) : whole.images(r.size());
    const auto made = part.backward_input(weights);
    if (i == 0) weights = made.weights_desc();
    plain = plain || onednn::is_plain(made.impl_info_str());
    parts.add(dnnl::convolution_backward_data(made), made.scratchpad_desc(),
              {{DNNL_ARG_DIFF_DST, made.diff_dst_desc(), kDy, r.begin * y_unit, part.rounds(setup.input_type(0))},
               {DNNL_ARG_WEIGHTS, weights, kW, 0},
               {DNNL_ARG_DIFF_SRC, made.diff_src_desc(), kDx, r.begin * x_unit}});
  }
  const Context context = setup.context;
  const onednn::WeightPacking packing(whole.plain_weights(), weights);
  KernelTraits traits{onednn::name("conv2d_backward_input", op.precision, plain), packing.bytes(), parts.scratch_bytes(context),
                      std::nullopt};
  return make_kernel(
      std::move(traits),
      [context, parts = std::move(parts)](const Arguments& a) {
        std::byte* const bases[] = {a.inputs[0].data, a.packed, a.outputs[0].data};
        parts.run(context, bases, a.scratch);
      },
      [context, packing](const Arguments& a) { packing.run(context, a.inputs[1].f32(), a.packed); });
}

KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  if (setup.products == Products::kOwn) return prepare_weight_gradient(setup, op);
  if (op.precision == graph::Precision::kBF16)
    return setup.target.bf16() == bf16::Unit::kVectors ? prepare_weight_gradient_bf16(setup, op)
                                                       : windowed_weight_gradient(setup, op);
  return onednn::is_pointwise(op.window) ? pointwise_weight_gradient(setup) : windowed_weight_gradient(setup, op);
}

}  // namespace fovea::cpu
