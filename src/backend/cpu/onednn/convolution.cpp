// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/convolution.h"

#include <algorithm>

#include "backend/cpu/onednn/parts.h"
#include "graph/graph.h"

namespace fovea::cpu::onednn {
namespace {

using Tag = dnnl::memory::format_tag;

dnnl::primitive_attr with_activation(graph::Activation activation) {
  dnnl::primitive_attr attributes = onednn::attributes();
  dnnl::post_ops operations;
  switch (activation) {
    case graph::Activation::kNone: return attributes;
    case graph::Activation::kRelu: operations.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0); break;
    case graph::Activation::kRelu6: operations.append_eltwise(1, dnnl::algorithm::eltwise_clip, 0, 6); break;
    case graph::Activation::kSilu: operations.append_eltwise(1, dnnl::algorithm::eltwise_swish, 1, 0); break;
  }
  attributes.set_post_ops(operations);
  return attributes;
}

}  // namespace

bool is_plain(std::string_view implementation) { return implementation.starts_with("ref"); }

std::string name(std::string_view what, graph::Precision precision, bool plain) {
  if (plain) return "onednn_plain/" + std::string(what);
  return (precision == graph::Precision::kBF16 ? "onednn_bf16/" : "onednn/") + std::string(what);
}

dnnl::memory::data_type type_of(DType type) {
  return type == DType::kBF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

bool is_pointwise(const graph::Window& window) { return window == graph::Window{}; }

Shape as_rows(const Shape& shape) { return {1, shape.elements() / shape.back(), 1, shape.back()}; }

Convolution::Convolution(const graph::Window& window, const Shape& x_shape, std::int64_t outputs, graph::Precision precision)
    : x{x_shape[0], x_shape[3], x_shape[1], x_shape[2]},
      w{outputs, x_shape[3], window.kernel_h, window.kernel_w},
      y{x_shape[0], outputs, graph::window_extent(x_shape[1], window.kernel_h, window.stride, window.pad.top, window.pad.bottom),
        graph::window_extent(x_shape[2], window.kernel_w, window.stride, window.pad.left, window.pad.right)},
      strides{window.stride, window.stride},
      before{window.pad.top, window.pad.left},
      after{window.pad.bottom, window.pad.right},
      operands(precision == graph::Precision::kBF16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32) {}

Convolution Convolution::band(std::int64_t begin, std::int64_t end, std::int64_t& first_row) const {
  const std::int64_t first = begin * strides[0] - before[0];
  const std::int64_t last = (end - 1) * strides[0] - before[0] + w[2];
  Convolution part = images(1);
  first_row = std::clamp<std::int64_t>(first, 0, x[2]);
  part.x[2] = std::clamp<std::int64_t>(last, first_row, x[2]) - first_row;
  part.y[2] = end - begin;
  part.before[0] = first_row - first;
  part.after[0] = std::max<std::int64_t>(last - x[2], 0);
  return part;
}

Convolution Convolution::images(std::int64_t count) const {
  Convolution part = *this;
  part.x[0] = part.y[0] = count;
  return part;
}

double Convolution::flops() const {
  return 2.0 * static_cast<double>(y[0] * y[1] * y[2] * y[3]) * static_cast<double>(w[1] * w[2] * w[3]);
}

dnnl::memory::desc Convolution::any_weights() const { return dense(w, Tag::any, operands); }
dnnl::memory::desc Convolution::any_weight_gradient() const { return dense(w, Tag::any); }
dnnl::memory::desc Convolution::plain_weights() const { return dense(w, Tag::oihw); }

dnnl::convolution_forward::primitive_desc Convolution::forward(dnnl::prop_kind kind, const dnnl::memory::desc& weights, bool bias,
                                                               graph::Activation activation) const {
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const auto x_desc = dense(x, Tag::nhwc, operands);
  const auto y_desc = dense(y, Tag::nhwc, results);
  const auto desc = bias ? dnnl::convolution_forward::desc(kind, algorithm, x_desc, weights, dense({w[0]}, Tag::a), y_desc,
                                                           strides, before, after)
                         : dnnl::convolution_forward::desc(kind, algorithm, x_desc, weights, y_desc, strides, before, after);
  return {desc, with_activation(activation), engine()};
}

dnnl::convolution_backward_data::primitive_desc Convolution::backward_input(const dnnl::memory::desc& weights) const {
  const auto hint = forward(dnnl::prop_kind::forward_training, any_weights(), false, graph::Activation::kNone);
  const dnnl::convolution_backward_data::desc desc(dnnl::algorithm::convolution_direct, dense(x, Tag::nhwc, results), weights,
                                                   dense(y, Tag::nhwc, operands), strides, before, after);
  return {desc, attributes(), engine(), hint};
}

dnnl::convolution_backward_weights::primitive_desc Convolution::backward_weight(bool bias,
                                                                                const dnnl::memory::desc& weights) const {
  const auto hint = forward(dnnl::prop_kind::forward_training, any_weights(), bias, graph::Activation::kNone);
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const auto x_desc = dense(x, Tag::nhwc, operands);
  const auto y_desc = dense(y, Tag::nhwc, operands);
  const auto desc = bias ? dnnl::convolution_backward_weights::desc(algorithm, x_desc, weights, dense({w[0]}, Tag::a), y_desc,
                                                                    strides, before, after)
                         : dnnl::convolution_backward_weights::desc(algorithm, x_desc, weights, y_desc, strides, before, after);
  return {desc, attributes(), engine(), hint};
}

}  // namespace fovea::cpu::onednn
