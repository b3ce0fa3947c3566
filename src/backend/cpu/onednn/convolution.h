// Fovea: oneDNN's convolution descriptors from Fovea's windows, shared by the forward and the two backward ops.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>
#include <string_view>

#include "core/dtype.h"
#include "core/shape.h"
#include "graph/ops.h"

namespace fovea::cpu::onednn {

/// A dense convolution of a few whole images, or of a band of rows of one image, whose padding above and below then differs.
struct Convolution {
  dnnl::memory::dims x;  ///< N, C, H, W: oneDNN's logical order; memory is NHWC
  dnnl::memory::dims w;  ///< K, C, R, S
  dnnl::memory::dims y;  ///< N, K, H', W'
  dnnl::memory::dims strides;
  dnnl::memory::dims before;  ///< padding top, left
  dnnl::memory::dims after;   ///< padding bottom, right

  dnnl::memory::data_type operands = dnnl::memory::data_type::f32;  ///< of products
  dnnl::memory::data_type results = dnnl::memory::data_type::f32;   ///< y forward, the gradient by x backward

  Convolution(const graph::Window& window, const Shape& x_shape, std::int64_t outputs,
              graph::Precision precision = graph::Precision::kF32);
  [[nodiscard]] bool rounds() const { return operands != dnnl::memory::data_type::f32; }
  /// Whether an operand that is kept so must be rounded first.
  [[nodiscard]] bool rounds(DType kept) const { return rounds() && kept == DType::kF32; }
  /// Rows [begin, end) of y, for one image, and the first row of x that they need.
  [[nodiscard]] Convolution band(std::int64_t begin, std::int64_t end, std::int64_t& first_row) const;
  [[nodiscard]] Convolution images(std::int64_t count) const;
  [[nodiscard]] double flops() const;

  [[nodiscard]] dnnl::convolution_forward::primitive_desc forward(dnnl::prop_kind kind, const dnnl::memory::desc& weights,
                                                                  bool bias, graph::Activation activation) const;
  [[nodiscard]] dnnl::convolution_backward_data::primitive_desc backward_input(const dnnl::memory::desc& weights) const;
  [[nodiscard]] dnnl::convolution_backward_weights::primitive_desc backward_weight(bool bias,
                                                                                   const dnnl::memory::desc& weights) const;

  [[nodiscard]] dnnl::memory::desc any_weights() const;
  [[nodiscard]] dnnl::memory::desc any_weight_gradient() const;
  [[nodiscard]] dnnl::memory::desc plain_weights() const;
};

/// "onednn/WHAT" or "onednn_bf16/WHAT", and "onednn_plain/WHAT" for what is_plain.
[[nodiscard]] std::string name(std::string_view what, graph::Precision precision, bool plain = false);
/// Whether oneDNN, by what it says of an implementation, has only plain loops for a case: a hundred times as slow as its kernels.
[[nodiscard]] bool is_plain(std::string_view implementation);
[[nodiscard]] dnnl::memory::data_type type_of(DType type);
/// A 1x1 window that moves by one and needs no padding: a plain product of matrices.
[[nodiscard]] bool is_pointwise(const graph::Window& window);
/// x as one image a pixel wide, (1, rows, 1, C), whose rows can be dealt out.
[[nodiscard]] Shape as_rows(const Shape& shape);

}  // namespace fovea::cpu::onednn
