// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "backend/cpu/kernels/bf16/batch_norm.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "backend/numbers_of.h"
#include "core/dtype.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Sums over rows are made by a fixed number of parts, whatever the threads; what has no sums is dealt out freely.
constexpr std::int64_t kMaxParts = 16;
constexpr std::int64_t kRowsPerPart = 64;

/// Rows of channels and how they are cut, with the scratch for per-channel vectors.
struct Rows {
  explicit Rows(const Shape& x)
      : count(Setup::rows(x)),
        channels(x.back()),
        parts(std::clamp<std::int64_t>(count / kRowsPerPart, 1, kMaxParts)),
        large(Setup::is_large(x)) {}
  [[nodiscard]] std::size_t scratch_bytes(std::int64_t vectors) const {
    return static_cast<std::size_t>(vectors * channels) * sizeof(float);
  }
  [[nodiscard]] float* vector(std::byte* scratch, std::int64_t i) const {
    return reinterpret_cast<float*>(scratch) + i * channels;
  }

  std::int64_t count;
  std::int64_t channels;
  std::int64_t parts;
  bool large;
};

/// Vectors in scratch: one for the scale, two for totals, then two for each part.
enum Vector : std::int64_t { kScale, kFirst, kSecond, kPartial };
constexpr std::int64_t vectors_for(const Rows& rows) { return kPartial + 2 * rows.parts; }

/// The total over the parts of channel c of one of the two sums, in the order of the parts.
double total(const Rows& rows, std::byte* scratch, std::int64_t which, std::int64_t c) {
  double sum = 0;
  for (std::int64_t p = 0; p < rows.parts; ++p) sum += static_cast<double>(rows.vector(scratch, kPartial + 2 * p + which)[c]);
  return sum;
}

float scale_of(float gamma, float var, float eps) { return gamma / std::sqrt(var + eps); }

float as_float(float number) { return number; }
float as_float(bf16::Bf16 number) { return bf16_to_f32(number); }

/// The kernel of a BatchNormTrain whose x and y are kept as Numbers.
template <class Number>
KernelResult train(const Setup& setup, const graph::BatchNormTrain& op, std::string name,
                   const BatchNormKernels<Number>& kernels) {
  const Rows rows(setup.input(0));
  const auto run = [=, context = setup.context](const Arguments& a) {
    const auto* x = numbers_of<const Number>(a.inputs[0]);
    auto* y = numbers_of<Number>(a.outputs[0]);
    float* mean = a.outputs[1].f32();
    float* var = a.outputs[2].f32();
    float* scale = rows.vector(a.scratch, kScale);
    float* pivot = rows.vector(a.scratch, kFirst);
    std::transform(x, x + rows.channels, pivot, [](Number number) { return as_float(number); });
    parallel_for(context, rows.parts, [&](std::int64_t p) {
      const Range r = part_of(rows.count, rows.parts, p);
      kernels.moments(x + r.begin * rows.channels, r.size(), rows.channels, pivot, rows.vector(a.scratch, kPartial + 2 * p),
                      rows.vector(a.scratch, kPartial + 2 * p + 1));
    });
    const double count = static_cast<double>(rows.count);
    for (std::int64_t c = 0; c < rows.channels; ++c) {
      const double offset = total(rows, a.scratch, 0, c) / count;
      mean[c] = static_cast<float>(static_cast<double>(pivot[c]) + offset);
      var[c] = static_cast<float>(std::max(total(rows, a.scratch, 1, c) / count - offset * offset, 0.0));
      scale[c] = scale_of(a.inputs[1].f32()[c], var[c], op.eps);
    }
    const Normalisation by{mean, scale, a.inputs[2].f32()};
    parallel_ranges(context, rows.count, kRowsPerPart, [&](Range r) {
      const std::int64_t at = r.begin * rows.channels;
      kernels.normalise(op.activation, by, x + at, r.size(), rows.channels, y + at, rows.large);
    });
  };
  return make_kernel({std::move(name), 0, rows.scratch_bytes(vectors_for(rows)), 0}, run);
}

/// And backward.
template <class Number>
KernelResult train_backward(const Setup& setup, const graph::BatchNormTrainBackward& op, std::string name,
                            const BatchNormKernels<Number>& kernels) {
  const Rows rows(setup.input(0));
  const auto run = [=, context = setup.context](const Arguments& a) {
    const auto* x = numbers_of<const Number>(a.inputs[0]);
    const auto* dy = numbers_of<const Number>(a.inputs[5]);
    float* scale = rows.vector(a.scratch, kScale);
    float* sum = rows.vector(a.scratch, kFirst);
    float* product = rows.vector(a.scratch, kSecond);
    for (std::int64_t c = 0; c < rows.channels; ++c) scale[c] = scale_of(a.inputs[1].f32()[c], a.inputs[4].f32()[c], op.eps);
    const Normalisation by{a.inputs[3].f32(), scale, a.inputs[2].f32()};
    parallel_for(context, rows.parts, [&](std::int64_t p) {
      const Range r = part_of(rows.count, rows.parts, p);
      const std::int64_t at = r.begin * rows.channels;
      kernels.gradient_sums(op.activation, by, x + at, dy + at, r.size(), rows.channels, rows.vector(a.scratch, kPartial + 2 * p),
                            rows.vector(a.scratch, kPartial + 2 * p + 1));
    });
    const double count = static_cast<double>(rows.count);
    for (std::int64_t c = 0; c < rows.channels; ++c) {
      const double inverse = 1.0 / std::sqrt(static_cast<double>(a.inputs[4].f32()[c]) + static_cast<double>(op.eps));
      const double gradients = total(rows, a.scratch, 0, c);
      const double products = total(rows, a.scratch, 1, c);  // with x - mean, not yet normalised
      a.outputs[1].f32()[c] = static_cast<float>(products * inverse);
      a.outputs[2].f32()[c] = static_cast<float>(gradients);
      sum[c] = static_cast<float>(gradients / count);
      product[c] = static_cast<float>(products * inverse * inverse / count);
    }
    parallel_ranges(context, rows.count, kRowsPerPart, [&](Range r) {
      const std::int64_t at = r.begin * rows.channels;
      kernels.normalise_backward(op.activation, by, sum, product, x + at, dy + at, r.size(), rows.channels,
                                 numbers_of<Number>(a.outputs[0]) + at);
    });
  };
  return make_kernel({std::move(name), 0, rows.scratch_bytes(vectors_for(rows)), 5}, run);
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::BatchNorm& op) {
  const Rows rows(setup.input(0));
  return make_kernel({setup.kernel_name("batch_norm"), 0, rows.scratch_bytes(1), 0},
                     [=, context = setup.context, kernels = batch_norm_kernels(setup.target)](const Arguments& a) {
                       float* scale = rows.vector(a.scratch, kScale);
                       for (std::int64_t c = 0; c < rows.channels; ++c)
                         scale[c] = scale_of(a.inputs[1].f32()[c], a.inputs[4].f32()[c], op.eps);
                       const Normalisation by{a.inputs[3].f32(), scale, a.inputs[2].f32()};
                       parallel_ranges(context, rows.count, kRowsPerPart, [&](Range r) {
                         const std::int64_t at = r.begin * rows.channels;
                         kernels.normalise(graph::Activation::kNone, by, a.inputs[0].f32() + at, r.size(), rows.channels,
                                           a.outputs[0].f32() + at, rows.large);
                       });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrain& op) {
  constexpr std::string_view kName = "batch_norm_train";
  if (setup.output_type(0) == DType::kBF16) return train(setup, op, setup.bf16_kernel_name(kName), bf16::batch_norm_kernels());
  return train(setup, op, setup.kernel_name(kName), batch_norm_kernels(setup.target));
}

KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrainBackward& op) {
  constexpr std::string_view kName = "batch_norm_train_backward";
  if (setup.output_type(0) == DType::kBF16)
    return train_backward(setup, op, setup.bf16_kernel_name(kName), bf16::batch_norm_kernels());
  return train_backward(setup, op, setup.kernel_name(kName), batch_norm_kernels(setup.target));
}

KernelResult prepare_op(const Setup& /*setup*/, const graph::UpdateRunningStatistics& op) {
  return make_kernel({"cpu/update_running_statistics", 0, 0, std::nullopt}, [op](const Arguments& a) {
    const float unbias = static_cast<float>(static_cast<double>(op.count) / static_cast<double>(op.count - 1));
    const auto blend = [&](float* running, float batch) { *running = (1.0F - op.momentum) * *running + op.momentum * batch; };
    for (std::int64_t c = 0; c < a.inputs[0].shape.elements(); ++c) {
      blend(a.outputs[0].f32() + c, a.inputs[0].f32()[c]);
      blend(a.outputs[1].f32() + c, a.inputs[1].f32()[c] * unbias);
    }
  });
}

}  // namespace fovea::cpu
