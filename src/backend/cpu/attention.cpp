// SPDX-License-Identifier: Apache-2.0
//
// One head of one image at a time. Letters: L = H W positions; i a query's position, j a key's.
#include <algorithm>
#include <cmath>
#include <utility>

#include "backend/cpu/kernels/elementwise.h"
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

/// `unit` counts the heads of all images; scratch holds key_dim L floats.
void forward(const Head& head, const Elementwise& kernels, SoftmaxKernel* softmax, const float* qkv, float* o, float* v_out,
             float* p, float* scratch) {
  const float* k = qkv + head.key_dim;
  const float* v = k + head.key_dim;
  const std::int64_t length = head.length;
  for (std::int64_t j = 0; j < length; ++j) {  // keys side by side: (key_dim, L)
    for (std::int64_t a = 0; a < head.key_dim; ++a) scratch[a * length + j] = k[j * head.qkv_stride + a];
  }
  for (std::int64_t i = 0; i < length; ++i) {
    const float* q = qkv + i * head.qkv_stride;
    float* row = p + i * length;
    std::fill_n(row, length, 0.0F);
    for (std::int64_t a = 0; a < head.key_dim; ++a) kernels.multiply_add(q[a] * head.scale, scratch + a * length, row, length);
    softmax(row, row, length);
    float* sum = o + i * head.o_stride;
    std::fill_n(sum, head.head_dim, 0.0F);
    for (std::int64_t j = 0; j < length; ++j) kernels.multiply_add(row[j], v + j * head.qkv_stride, sum, head.head_dim);
    std::copy_n(v + i * head.qkv_stride, head.head_dim, v_out + i * head.o_stride);
  }
}

/// scratch holds L floats.
void backward(const Head& head, const Elementwise& kernels, const float* qkv, const float* p, const float* d_o,
              const float* dv_in, float* dqkv, float* scratch) {
  const std::int64_t k = head.key_dim, v = 2 * head.key_dim;
  const std::int64_t length = head.length, stride = head.qkv_stride;
  for (std::int64_t i = 0; i < length; ++i) {
    std::fill_n(dqkv + i * stride, v, 0.0F);
    std::copy_n(dv_in + i * head.o_stride, head.head_dim, dqkv + i * stride + v);
  }
  for (std::int64_t i = 0; i < length; ++i) {
    const float* row = p + i * length;
    const float* gradient = d_o + i * head.o_stride;
    for (std::int64_t j = 0; j < length; ++j) scratch[j] = kernels.dot(gradient, qkv + j * stride + v, head.head_dim);
    const float mean = kernels.dot(row, scratch, length);  // which the softmax takes away
    for (std::int64_t j = 0; j < length; ++j) {
      const float dscore = row[j] * (scratch[j] - mean) * head.scale;
      kernels.multiply_add(dscore, qkv + j * stride + k, dqkv + i * stride, head.key_dim);
      kernels.multiply_add(dscore, qkv + i * stride, dqkv + j * stride + k, head.key_dim);
      kernels.multiply_add(row[j], gradient, dqkv + j * stride + v, head.head_dim);
    }
  }
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
  const std::int64_t floats = head.key_dim * head.length;
  const Context context = setup.context;
  return make_kernel({setup.kernel_name("attention"), 0, scratch_bytes(context, floats), std::nullopt},
                     [=, kernels = elementwise(setup.target), softmax = softmax_row(setup.target)](const Arguments& a) {
                       for_units(context, units, a.scratch, floats, [&](std::int64_t unit, float* scratch) {
                         const std::int64_t at = head.o_offset(unit);
                         forward(head, kernels, softmax, a.inputs[0].f32() + head.qkv_offset(unit), a.outputs[0].f32() + at,
                                 a.outputs[1].f32() + at, a.outputs[2].f32() + unit * head.length * head.length, scratch);
                       });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::AttentionBackward& op) {
  const Head head(op, setup.input(0));
  const std::int64_t units = setup.input(0)[0] * head.heads;
  const std::int64_t floats =
      static_cast<std::int64_t>(align_up(static_cast<std::size_t>(head.length) * sizeof(float)) / sizeof(float));
  const Context context = setup.context;
  return make_kernel({setup.kernel_name("attention_backward"), 0, scratch_bytes(context, floats), std::nullopt},
                     [=, kernels = elementwise(setup.target)](const Arguments& a) {
                       for_units(context, units, a.scratch, floats, [&](std::int64_t unit, float* scratch) {
                         const std::int64_t qkv = head.qkv_offset(unit), o = head.o_offset(unit);
                         backward(head, kernels, a.inputs[0].f32() + qkv, a.inputs[1].f32() + unit * head.length * head.length,
                                  a.inputs[2].f32() + o, a.inputs[3].f32() + o, a.outputs[0].f32() + qkv, scratch);
                       });
                     });
}

}  // namespace fovea::cpu
