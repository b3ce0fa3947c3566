// SPDX-License-Identifier: Apache-2.0
//
// One head of one image at a time. Letters: L = H W positions; i a query's position, j a key's.
#include <algorithm>
#include <cmath>
#include <utility>

#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/kernels/outer_sum.h"
#include "backend/cpu/kernels/softmax.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Where one head of one image lies.
struct Head {
  std::int64_t length;  ///< L
  std::int64_t key_dim;
  std::int64_t head_dim;
  std::int64_t qkv_stride;  ///< floats from one position to the next in qkv
  std::int64_t o_stride;    ///< the same in o and v
  std::int64_t heads;
  float scale;

  template <class Op>
  Head(const Op& op, const Shape& qkv)
      : length(qkv[1] * qkv[2]),
        key_dim(op.key_dim),
        head_dim(op.head_dim),
        qkv_stride(qkv[3]),
        o_stride(std::int64_t{op.heads} * op.head_dim),
        heads(op.heads),
        scale(1.0F / std::sqrt(static_cast<float>(op.key_dim))) {}

  [[nodiscard]] std::int64_t qkv_offset(std::int64_t unit) const {
    return unit / heads * length * qkv_stride + unit % heads * (2 * key_dim + head_dim);
  }
  [[nodiscard]] std::int64_t o_offset(std::int64_t unit) const {
    return unit / heads * length * o_stride + unit % heads * head_dim;
  }
};

/// A matrix as it lies in a tensor.
struct Rows {
  const float* data;
  std::int64_t stride, rows, columns;
};

/// to (columns, rows) = factor times `from`, turned around.
void turn(const Rows& from, float factor, float* to) {
  for (std::int64_t i = 0; i < from.rows; ++i) {
    for (std::int64_t c = 0; c < from.columns; ++c) to[c * from.rows + i] = factor * from.data[i * from.stride + c];
  }
}

/// Scratch floats of a unit: forward q and k with their positions side by side, and p with its queries; backward the gradient of
/// o and v, that of p, and that of the scores with its queries side by side.
std::int64_t forward_floats(const Head& head) { return (2 * head.key_dim + head.length) * head.length; }
std::int64_t backward_floats(const Head& head) { return 2 * (head.head_dim + head.length) * head.length; }

/// `unit` counts the heads of all images.
void forward(const Head& head, OuterSumKernel* product, SoftmaxKernel* softmax, const float* qkv, float* o, float* v_out,
             float* p, float* scratch) {
  const std::int64_t length = head.length, stride = head.qkv_stride;
  const float *const k = qkv + head.key_dim, *const v = k + head.key_dim;
  float *const q_turned = scratch, *const k_turned = q_turned + head.key_dim * length,
               *const p_turned = k_turned + head.key_dim * length;
  turn({qkv, stride, length, head.key_dim}, head.scale, q_turned);
  turn({k, stride, length, head.key_dim}, 1, k_turned);
  product({q_turned, length, length}, {k_turned, length, length}, head.key_dim, p, length, true);
  for (std::int64_t i = 0; i < length; ++i) softmax(p + i * length, p + i * length, length);
  turn({p, length, length, length}, 1, p_turned);
  product({p_turned, length, length}, {v, stride, head.head_dim}, length, o, head.o_stride, true);
  for (std::int64_t i = 0; i < length; ++i) std::copy_n(v + i * stride, head.head_dim, v_out + i * head.o_stride);
}

void backward(const Head& head, OuterSumKernel* product, DotKernel* dot, const float* qkv, const float* p, const float* d_o,
              const float* dv_in, float* dqkv, float* scratch) {
  const std::int64_t k = head.key_dim, v = 2 * head.key_dim;
  const std::int64_t length = head.length, stride = head.qkv_stride;
  float *const do_turned = scratch, *const v_turned = do_turned + head.head_dim * length;
  float *const dp = v_turned + head.head_dim * length, *const ds_turned = dp + length * length;
  turn({d_o, head.o_stride, length, head.head_dim}, 1, do_turned);
  turn({qkv + v, stride, length, head.head_dim}, 1, v_turned);
  product({do_turned, length, length}, {v_turned, length, length}, head.head_dim, dp, length, true);
  for (std::int64_t i = 0; i < length; ++i) {
    const float* const row = p + i * length;
    float* const gradient = dp + i * length;
    const float mean = dot(row, gradient, length);  // which the softmax takes away
    for (std::int64_t j = 0; j < length; ++j) gradient[j] = row[j] * (gradient[j] - mean) * head.scale;
    std::copy_n(dv_in + i * head.o_stride, head.head_dim, dqkv + i * stride + v);
  }
  turn({dp, length, length, length}, 1, ds_turned);
  product({ds_turned, length, length}, {qkv + k, stride, k}, length, dqkv, stride, true);
  product({dp, length, length}, {qkv, stride, k}, length, dqkv + k, stride, true);
  product({p, length, length}, {d_o, head.o_stride, head.head_dim}, length, dqkv + v, stride, false);
}

/// Calls body(unit, scratch) for every head of every image, with scratch of `floats` for each thread.
template <class Body>
void for_units(const Context& context, std::int64_t units, std::byte* scratch, std::int64_t floats, const Body& body) {
  const std::int64_t parts = std::min<std::int64_t>(context.threads, units);
  parallel_for(context, parts, [&](std::int64_t part) {
    const Range range = part_of(units, parts, part);
    for (std::int64_t unit = range.begin; unit < range.end; ++unit) body(unit, reinterpret_cast<float*>(scratch) + part * floats);
  });
}

std::size_t scratch_bytes(const Context& context, std::int64_t floats) {
  return static_cast<std::size_t>(context.threads * floats) * sizeof(float);
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Attention& op) {
  const Head head(op, setup.input(0));
  const std::int64_t units = setup.input(0)[0] * head.heads;
  const std::int64_t floats = forward_floats(head);
  const Context context = setup.context;
  return make_kernel({setup.kernel_name("attention"), 0, scratch_bytes(context, floats), std::nullopt},
                     [=, product = outer_sum(setup.target), softmax = softmax_row(setup.target)](const Arguments& a) {
                       for_units(context, units, a.scratch, floats, [&](std::int64_t unit, float* scratch) {
                         const std::int64_t at = head.o_offset(unit);
                         forward(head, product, softmax, a.inputs[0].f32() + head.qkv_offset(unit), a.outputs[0].f32() + at,
                                 a.outputs[1].f32() + at, a.outputs[2].f32() + unit * head.length * head.length, scratch);
                       });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::AttentionBackward& op) {
  const Head head(op, setup.input(0));
  const std::int64_t units = setup.input(0)[0] * head.heads;
  const std::int64_t floats = backward_floats(head);
  const Context context = setup.context;
  return make_kernel({setup.kernel_name("attention_backward"), 0, scratch_bytes(context, floats), std::nullopt},
                     [=, product = outer_sum(setup.target), dot = elementwise(setup.target).dot](const Arguments& a) {
                       for_units(context, units, a.scratch, floats, [&](std::int64_t unit, float* scratch) {
                         const std::int64_t qkv = head.qkv_offset(unit), o = head.o_offset(unit);
                         backward(head, product, dot, a.inputs[0].f32() + qkv,
                                  a.inputs[1].f32() + unit * head.length * head.length, a.inputs[2].f32() + o,
                                  a.inputs[3].f32() + o, a.outputs[0].f32() + qkv, scratch);
                       });
                     });
}

}  // namespace fovea::cpu
