// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/convolution_bf16.h"

#include <memory>
#include <optional>
#include <vector>

#include "backend/cpu/rounded_convolution.h"

namespace fovea::cpu {
namespace {

bool is_for_vectors(graph::Precision precision, Target target) {
  return precision == graph::Precision::kBF16 && target.bf16() == bf16::Unit::kVectors;
}

/// A tensor's memory as results or as an operand beside them.
template <class Ends>
Ends ends_of(const TensorView& view) {
  return {view.data, view.dtype == DType::kBF16, 0};
}

}  // namespace

bool has_own_convolution_bf16(const graph::Conv2d& op, Target target) {
  return is_for_vectors(op.precision, target) && (!op.keeps_slope || op.activation == graph::Activation::kSilu);
}

bool has_own_convolution_bf16(const graph::Conv2dBackwardInput& op, Target target) {
  return is_for_vectors(op.precision, target);
}

KernelResult prepare_convolution_bf16(const Setup& setup, const graph::Conv2d& op) {
  const DenseWork work = forward_work(op.window, setup.input(0), setup.output(0).back());
  const bool bias = setup.inputs() == 3;
  const auto convolution =
      std::make_shared<const RoundedConvolution>(setup.context, std::vector{work}, setup.input_type(0), bias, op.activation);
  return make_kernel(
      {setup.bf16_kernel_name("conv2d"), convolution->packed_bytes(), convolution->scratch_bytes(), std::nullopt},
      [convolution, keeps = op.keeps_slope](const Arguments& a) {
        const auto y = ends_of<bf16::Results>(a.outputs[0]);
        convolution->run(a.inputs[0], a.packed, a.scratch,
                         {.y = y, .slope = keeps ? ends_of<bf16::Results>(a.outputs[1]) : bf16::Results{}});
      },
      [convolution, bias](const Arguments& a) {
        convolution->pack(a.inputs[1].f32(), bias ? a.inputs[2].f32() : nullptr, a.packed);
      });
}

KernelResult prepare_convolution_bf16(const Setup& setup, const graph::Conv2dBackwardInput& op) {
  const auto convolution = std::make_shared<const RoundedConvolution>(
      setup.context, backward_work(op.window, op.input, setup.input(0)), setup.input_type(0), false, graph::Activation::kNone);
  const bool in_place = op.adds && setup.input_type(2) == setup.output_type(0);
  return make_kernel(
      {setup.bf16_kernel_name("conv2d_backward_input"), convolution->packed_bytes(), convolution->scratch_bytes(),
       in_place ? std::optional<std::size_t>(2) : std::nullopt},
      [convolution, op](const Arguments& a) {
        const auto operand = [&](bool there, std::size_t input) {
          return there ? ends_of<bf16::Operand>(a.inputs[input]) : bf16::Operand{};
        };
        convolution->run(a.inputs[0], a.packed, a.scratch,
                         {.y = ends_of<bf16::Results>(a.outputs[0]),
                          .slope = {},
                          .addend = operand(op.adds, 2),
                          .factor = operand(op.by_slope, slope_input(op))});
      },
      [convolution](const Arguments& a) { convolution->pack(a.inputs[1].f32(), nullptr, a.packed); });
}

}  // namespace fovea::cpu
