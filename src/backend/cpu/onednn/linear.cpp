// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "backend/cpu/dense.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/kernels/row_dots.h"
#include "backend/cpu/onednn/matmul.h"
#include "backend/cpu/setup.h"
#include "backend/cpu/weight_gradient.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

using onednn::Parts;

/// Columns of a result that make a part, a few cache lines; and how many parts at most.
constexpr std::int64_t kColumnsPerPart = 64;
constexpr std::int64_t kMaxParts = 16;

std::int64_t parts_for(std::int64_t columns) {
  return onednn::equal_parts(columns, std::clamp<std::int64_t>(columns / kColumnsPerPart, 1, kMaxParts));
}

template <class Bases>
std::unique_ptr<Kernel> kernel_of(const Setup& setup, std::string name, Parts parts, Bases bases_of) {
  const Context context = setup.context;
  KernelTraits traits{std::move(name), 0, parts.scratch_bytes(context), std::nullopt};
  return make_kernel(std::move(traits), [context, bases_of, parts = std::move(parts)](const Arguments& a) {
    const auto bases = bases_of(a);
    parts.run(context, bases, a.scratch);
  });
}

}  // namespace

// y (N,K) = x (N,C) w' + b, by groups of outputs. An own kernel reads w as it lies; oneDNN turns it around first.
KernelResult prepare_op(const Setup& setup, const graph::Linear& op) {
  if (setup.constant_weights || setup.products == Products::kOwn) return prepare_dense(setup, op);
  const std::int64_t n = setup.input(0)[0], c = setup.input(0)[1], k = setup.input(1)[0];
  return make_kernel({setup.kernel_name("linear"), 0, 0, std::nullopt}, [=, context = setup.context,
                                                                         kernel = row_dots(setup.target)](const Arguments& a) {
    const RowDots dots{a.inputs[0].f32(), n, c, a.inputs[1].f32(), a.inputs[2].f32(), {}, a.outputs[0].f32(), k};
    parallel_ranges(context, k, kColumnsPerPart, [&](Range outputs) {
      RowDots part = dots;
      part.outputs = outputs;
      kernel(part);
    });
  });
}

// dx (N,C) = dy (N,K) w (K,C), by groups of inputs.
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardInput& op) {
  if (setup.products == Products::kOwn) return prepare_dense(setup, op);
  const std::int64_t n = setup.input(0)[0], k = setup.input(0)[1], c = setup.input(1)[1];
  const onednn::ThreadSetting single(1);
  Parts parts;
  for (std::int64_t i = 0, count = parts_for(c); i < count; ++i) {
    const Range r = part_of(c, count, i);
    onednn::add_product(parts, {n, r.size(), k, {0, 0, k, 1}, {1, r.begin, c, 1}, {2, r.begin, c, 1}});
  }
  return kernel_of(setup, "onednn/linear_backward_input", std::move(parts), [](const Arguments& a) {
    return std::array{a.inputs[0].data, a.inputs[1].data, a.outputs[0].data};
  });
}

// dw (K,C) = dy' (K,N) x (N,C), by groups of inputs; db (K) = dy' 1.
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardWeight& op) {
  if (setup.products == Products::kOwn) return prepare_weight_gradient(setup, op);
  const std::int64_t n = setup.input(0)[0], c = setup.input(0)[1], k = setup.input(1)[1];
  const onednn::ThreadSetting single(1);
  Parts parts;
  for (std::int64_t i = 0, count = parts_for(c); i < count; ++i) {
    const Range r = part_of(c, count, i);
    onednn::add_product(parts, {k, r.size(), n, {1, 0, 1, k}, {0, r.begin, c, 1}, {2, r.begin, c, 1}});
  }
  const Context context = setup.context;
  KernelTraits traits{"onednn/linear_backward_weight", 0, parts.scratch_bytes(context), std::nullopt};
  return make_kernel(std::move(traits), [context, n, k, sum_rows = elementwise(setup.target).sum_parts,
                                         parts = std::move(parts)](const Arguments& a) {
    std::byte* const bases[] = {a.inputs[0].data, a.inputs[1].data, a.outputs[0].data};
    parts.run(context, bases, a.scratch);
    sum_rows(a.inputs[1].f32(), n, k, a.outputs[1].f32(), k);
  });
}

}  // namespace fovea::cpu
