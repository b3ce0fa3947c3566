// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/weight_gradient.h"

#include <algorithm>

#include "backend/cpu/kernels/column_sums.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/kernels/outer_sum.h"
#include "backend/cpu/part_sums.h"
#include "backend/cpu/windowed_weight_gradient.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Parts of the positions, each with its own partial sum.
constexpr std::int64_t kMaxSums = 8;
/// Positions whose x and dy stay in the second-level cache.
constexpr std::int64_t kRowBlock = 128;
/// Rows or columns of dw that make a part.
constexpr std::int64_t kWeightsPerPart = 32;

/// dw (K,C) += dy' x over the rows of both.
struct Rows {
  std::int64_t rows, k, c;
  explicit Rows(const Setup& setup) : rows(Setup::rows(setup.input(0))), k(setup.input(1).back()), c(setup.input(0).back()) {}
};

/// Few positions, many weights: rows or columns of dw are dealt out, and nothing needs to be added up.
std::unique_ptr<Kernel> by_weights(const Setup& setup, std::string_view name) {
  const Rows s(setup);
  const Context context = setup.context;
  const std::int64_t count = std::max<std::int64_t>(std::max(s.k, s.c) / kWeightsPerPart, 1);
  const ColumnSums db(setup.target, context, s.rows, s.k);
  return make_kernel({setup.kernel_name(name), 0, db.scratch_bytes(), std::nullopt},
                     [=, outer = outer_sum(setup.target)](const Arguments& a) {
                       const float* const x = a.inputs[0].f32();
                       const float* const dy = a.inputs[1].f32();
                       float* const dw = a.outputs[0].f32();
                       parallel_for(context, count, [&](std::int64_t i) {
                         const Range ks = s.k >= s.c ? part_of(s.k, count, i) : Range{0, s.k};
                         const Range cs = s.k >= s.c ? Range{0, s.c} : part_of(s.c, count, i);
                         for (std::int64_t row = 0; row < s.rows; row += kRowBlock) {
                           outer({dy + row * s.k + ks.begin, s.k, ks.size()}, {x + row * s.c + cs.begin, s.c, cs.size()},
                                 std::min(kRowBlock, s.rows - row), dw + ks.begin * s.c + cs.begin, s.c, row == 0);
                         }
                       });
                       if (a.outputs.size() == 2) db.run(dy, a.outputs[1].f32(), reinterpret_cast<float*>(a.scratch));
                     });
}

}  // namespace

bool goes_by_positions(std::int64_t rows, std::int64_t k, std::int64_t c) {
  // A partial sum is written, read and added: worth it while that is little beside reading x and dy.
  return rows * (k + c) > 4 * kMaxSums * k * c;
}

KernelResult prepare_weight_gradient_by_positions(const Setup& setup) {
  const Rows s(setup);
  const std::int64_t rows = s.rows, k = s.k, c = s.c;
  const bool bias = setup.node.outputs.size() == 2;
  const std::int64_t count = std::min(kMaxSums, rows);
  // The longer side of dw is the inner one, along which vectors run: dw' (C,K) is computed where that is K.
  const bool transposed = k > c;
  const std::int64_t sum =
      static_cast<std::int64_t>(align_up(static_cast<std::size_t>(k * (c + 1)) * sizeof(float)) / sizeof(float));
  const Context context = setup.context;
  const auto run = [=, outer = outer_sum(setup.target), add_rows = sum_rows(setup.target),
                    sum_parts = elementwise(setup.target).sum_parts](const Arguments& a) {
    float* const sums = reinterpret_cast<float*>(a.scratch);  // each: dw or dw', then db
    const float* x = a.inputs[0].f32();
    const float* dy = a.inputs[1].f32();
    parallel_for(context, count, [&](std::int64_t i) {
      const Range part = part_of(rows, count, i);
      float* const dw = sums + i * sum;
      // Blocks that stay near while they are read twice.
      for (std::int64_t row = part.begin; row < part.end; row += kRowBlock) {
        const std::int64_t here = std::min(kRowBlock, part.end - row);
        const Columns from_x{x + row * c, c, c};
        const Columns from_dy{dy + row * k, k, k};
        const bool first = row == part.begin;
        outer(transposed ? from_x : from_dy, transposed ? from_dy : from_x, here, dw, transposed ? k : c, first);
        if (bias) add_rows(dy + row * k, here, k, dw + k * c, first);
      }
    });
    add_up_parts(context, sum_parts, sums, count, sum);
    float* const dw = a.outputs[0].f32();
    if (transposed) {
      for (std::int64_t i = 0; i < k; ++i) {
        for (std::int64_t j = 0; j < c; ++j) dw[i * c + j] = sums[j * k + i];
      }
    } else {
      std::copy_n(sums, k * c, dw);
    }
    if (bias) std::copy_n(sums + k * c, k, a.outputs[1].f32());
  };
  return make_kernel(
      {setup.kernel_name("pointwise_backward_weight"), 0, static_cast<std::size_t>(count * sum) * sizeof(float), std::nullopt},
      run);
}

KernelResult prepare_weight_gradient(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  if (op.window != graph::Window{}) return prepare_windowed_weight_gradient(setup, op);
  const Rows s(setup);
  if (goes_by_positions(s.rows, s.k, s.c)) return prepare_weight_gradient_by_positions(setup);
  return by_weights(setup, "pointwise_backward_weight");
}

KernelResult prepare_weight_gradient(const Setup& setup, const graph::LinearBackwardWeight& /*op*/) {
  return by_weights(setup, "linear_backward_weight");
}

}  // namespace fovea::cpu
