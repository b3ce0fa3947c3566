// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/elementwise.h"

#include <algorithm>
#include <array>
#include <utility>

#include "backend/cpu/kernels/bf16/elementwise.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "backend/numbers_of.h"
#include "core/dropout_mask.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Elements that are worth a thread.
constexpr std::int64_t kGrain = 16 * 1024;

/// Operands that are kept as bf16.
struct Numbers {
  std::array<const bf16::Bf16*, 2> in;
  bf16::Bf16* out;
};

/// body(numbers, range) for ranges that cover all of output 0, which may take over the memory of input `reusable`.
template <class Body>
KernelResult over_numbers(const Setup& setup, std::string_view what, std::size_t reusable, Body body) {
  return make_kernel({setup.bf16_kernel_name(what), 0, 0, reusable}, [context = setup.context, body](const Arguments& a) {
    Numbers numbers{{}, numbers_of<bf16::Bf16>(a.outputs[0])};
    for (std::size_t i = 0; i < a.inputs.size(); ++i) numbers.in[i] = numbers_of<bf16::Bf16>(a.inputs[i]);
    parallel_ranges(context, a.outputs[0].shape.elements(), kGrain, [&](Range r) { body(numbers, r); });
  });
}

/// y may take over the memory of x.
KernelResult silu_with_slope(const Setup& setup) {
  if (setup.output_type(0) == DType::kBF16) {
    return make_kernel({setup.bf16_kernel_name("silu_with_slope"), 0, 0, 0}, [context = setup.context](const Arguments& a) {
      const bf16::Bf16* x = numbers_of<bf16::Bf16>(a.inputs[0]);
      bf16::Bf16 *y = numbers_of<bf16::Bf16>(a.outputs[0]), *s = numbers_of<bf16::Bf16>(a.outputs[1]);
      parallel_ranges(context, a.outputs[0].shape.elements(), kGrain,
                      [&](Range r) { bf16::silu_with_slope(x + r.begin, y + r.begin, s + r.begin, r.size()); });
    });
  }
  return make_kernel({setup.kernel_name("silu_with_slope"), 0, 0, 0},
                     [context = setup.context, kernel = elementwise(setup.target).silu_with_slope](const Arguments& a) {
                       const float* x = a.inputs[0].f32();
                       float *y = a.outputs[0].f32(), *s = a.outputs[1].f32();
                       parallel_ranges(context, a.outputs[0].shape.elements(), kGrain,
                                       [&](Range r) { kernel(x + r.begin, y + r.begin, s + r.begin, r.size()); });
                     });
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Activate& op) {
  if (op.keeps_slope) return silu_with_slope(setup);
  if (setup.output_type(0) == DType::kBF16) {
    return over_numbers(setup, "activate", 0, [op](const Numbers& n, Range r) {
      bf16::activate(op.activation, n.in[0] + r.begin, n.out + r.begin, r.size());
    });
  }
  return make_kernel({setup.kernel_name("activate"), 0, 0, 0},
                     [context = setup.context, op, kernel = elementwise(setup.target).activate](const Arguments& a) {
                       const float* x = a.inputs[0].f32();
                       float* y = a.outputs[0].f32();
                       parallel_ranges(context, a.outputs[0].shape.elements(), kGrain,
                                       [&](Range r) { kernel(op.activation, x + r.begin, y + r.begin, r.size()); });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::ActivateBackward& op) {
  if (setup.output_type(0) == DType::kBF16) {
    return over_numbers(setup, "activate_backward", 1, [op](const Numbers& n, Range r) {
      const bf16::Bf16 *const saved = n.in[0] + r.begin, *const dy = n.in[1] + r.begin;
      if (op.by_slope) return bf16::multiply(saved, dy, n.out + r.begin, r.size());
      bf16::activate_backward(op.activation, saved, dy, n.out + r.begin, r.size());
    });
  }
  return make_kernel({setup.kernel_name("activate_backward"), 0, 0, 1},
                     [context = setup.context, op, kernels = elementwise(setup.target)](const Arguments& a) {
                       const float *saved = a.inputs[0].f32(), *dy = a.inputs[1].f32();
                       float* dx = a.outputs[0].f32();
                       parallel_ranges(context, a.outputs[0].shape.elements(), kGrain, [&](Range r) {
                         if (op.by_slope) return kernels.multiply(saved + r.begin, dy + r.begin, dx + r.begin, r.size());
                         kernels.activate_backward(op.activation, saved + r.begin, dy + r.begin, dx + r.begin, r.size());
                       });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::Add& /*op*/) {
  if (setup.output_type(0) == DType::kBF16) {
    return over_numbers(setup, "add", 0, [](const Numbers& n, Range r) {
      bf16::add(n.in[0] + r.begin, n.in[1] + r.begin, n.out + r.begin, r.size());
    });
  }
  return make_kernel({setup.kernel_name("add"), 0, 0, 0},
                     [context = setup.context, kernel = elementwise(setup.target).add](const Arguments& arguments) {
                       const float* a = arguments.inputs[0].f32();
                       const float* b = arguments.inputs[1].f32();
                       float* y = arguments.outputs[0].f32();
                       parallel_ranges(context, arguments.outputs[0].shape.elements(), kGrain,
                                       [&](Range r) { kernel(a + r.begin, b + r.begin, y + r.begin, r.size()); });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::Dropout& op) {
  return make_kernel({"cpu/dropout", 0, 0, 0}, [context = setup.context, op](const Arguments& a) {
    const float* x = a.inputs[0].f32();
    float* y = a.outputs[0].f32();
    const DropoutMask mask(a.state.seed, a.state.step, op.stream, op.rate);
    const float scale = 1.0F / (1.0F - op.rate);
    const Shape& shape = a.outputs[0].shape;
    const std::int64_t begin = a.state.first_row * (shape.elements() / shape[0]);  // of these elements, in the whole batch
    const std::int64_t end = begin + shape.elements();
    const std::int64_t first_block = begin / DropoutMask::kLanes;
    const std::int64_t blocks = (end + DropoutMask::kLanes - 1) / DropoutMask::kLanes - first_block;
    parallel_ranges(context, blocks, kGrain / DropoutMask::kLanes, [&](Range r) {
      for (std::int64_t block = first_block + r.begin; block < first_block + r.end; ++block) {
        const auto kept = mask.kept(block);
        const std::int64_t first = block * DropoutMask::kLanes;
        for (std::int64_t i = std::max(first, begin); i < std::min(first + DropoutMask::kLanes, end); ++i)
          y[i - begin] = kept[static_cast<std::size_t>(i - first)] ? x[i - begin] * scale : 0.0F;
      }
    });
  });
}

}  // namespace fovea::cpu
