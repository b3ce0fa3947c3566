// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "backend/cpu/dense.h"
#include "backend/cpu/onednn/convolution.h"
#include "backend/cpu/onednn/parts.h"
#include "backend/cpu/onednn/weights.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

using onednn::Convolution;
using onednn::Parts;

enum Base : std::size_t { kX, kW, kB, kY };

/// Work worth a part of its own: far above what it costs to start one.
constexpr double kFlopsPerPart = 1e6;
constexpr std::int64_t kMaxParts = 64;

std::int64_t parts_for(double flops, std::int64_t limit) {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(flops / kFlopsPerPart), 1,
                                  std::max<std::int64_t>(std::min(limit, kMaxParts), 1));
}

struct Forward {
  DType x_type = DType::kF32;
  Parts parts;
  dnnl::memory::desc weights;  ///< of all parts
  bool plain = false;          ///< one of them at least runs oneDNN's plain loops

  void add(const Convolution& part, bool bias, graph::Activation activation, std::int64_t x_offset, std::int64_t y_offset) {
    const auto made =
        part.forward(dnnl::prop_kind::forward_training, parts.size() == 0 ? part.any_weights() : weights, bias, activation);
    if (parts.size() == 0) weights = made.weights_desc();
    plain = plain || onednn::is_plain(made.impl_info_str());
    const dnnl::convolution_forward primitive(made);
    const onednn::Operand x{DNNL_ARG_SRC, made.src_desc(), kX, x_offset, part.rounds(x_type)};
    const onednn::Operand w{DNNL_ARG_WEIGHTS, weights, kW, 0};
    const onednn::Operand y{DNNL_ARG_DST, made.dst_desc(), kY, y_offset};
    if (bias) {
      parts.add(primitive, made.scratchpad_desc(), {x, w, {DNNL_ARG_BIAS, made.bias_desc(), kB, 0}, y});
    } else {
      parts.add(primitive, made.scratchpad_desc(), {x, w, y});
    }
  }
};

/// Some whole images a part.
Forward by_images(const Convolution& whole, DType x_type, bool bias, graph::Activation activation, std::int64_t groups) {
  const std::int64_t images = whole.x[0];
  const std::int64_t x_image = whole.x[1] * whole.x[2] * whole.x[3];
  const std::int64_t y_image = whole.y[1] * whole.y[2] * whole.y[3];
  Forward made{.x_type = x_type};
  for (std::int64_t i = 0; i < groups; ++i) {
    const Range range = part_of(images, groups, i);
    made.add(whole.images(range.size()), bias, activation, range.begin * x_image, range.begin * y_image);
  }
  return made;
}

/// Bands of `rows` rows of each image.
Forward by_bands(const Convolution& whole, DType x_type, bool bias, graph::Activation activation, std::int64_t rows) {
  const std::int64_t x_row = whole.x[1] * whole.x[3];
  const std::int64_t y_row = whole.y[1] * whole.y[3];
  Forward made{.x_type = x_type};
  for (std::int64_t n = 0; n < whole.x[0]; ++n) {
    for (std::int64_t begin = 0; begin < whole.y[2]; begin += rows) {
      std::int64_t first_row = 0;
      const Convolution band = whole.band(begin, std::min(begin + rows, whole.y[2]), first_row);
      made.add(band, bias, activation, (n * whole.x[2] + first_row) * x_row, (n * whole.y[2] + begin) * y_row);
    }
  }
  return made;
}

/// Many images: some whole images a part. Few: bands of rows of each.
Forward split(const Convolution& whole, DType x_type, bool bias, graph::Activation activation) {
  const std::int64_t images = whole.x[0];
  const std::int64_t count = parts_for(whole.flops(), images * whole.y[2]);
  if (images >= count) return by_images(whole, x_type, bias, activation, onednn::equal_parts(images, count));
  std::int64_t bands = onednn::equal_parts(whole.y[2], (count + images - 1) / images);
  // All bands share one order of the weights. Where oneDNN has no fast kernel for one of them in it, fewer and higher ones do.
  for (; bands > 1; bands = (bands + 1) / 2) {
    Forward made = by_bands(whole, x_type, bias, activation, (whole.y[2] + bands - 1) / bands);
    if (!made.plain) return made;
  }
  return by_images(whole, x_type, bias, activation, images);
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Conv2d& op) {
  if (setup.constant_weights && op.precision == graph::Precision::kF32) return prepare_dense(setup, op);
  const bool bias = setup.inputs() == 3;
  const Shape x = onednn::is_pointwise(op.window) ? onednn::as_rows(setup.input(0)) : setup.input(0);
  Convolution whole(op.window, x, setup.output(0).back(), op.precision);
  whole.results = onednn::type_of(setup.output_type(0));
  const onednn::ThreadSetting single(1);
  Forward made = split(whole, setup.input_type(0), bias, op.activation);
  const onednn::WeightPacking packing(whole.plain_weights(), made.weights);
  const Context context = setup.context;
  KernelTraits traits{onednn::name("conv2d", op.precision, made.plain), packing.bytes(), made.parts.scratch_bytes(context),
                      std::nullopt};
  return make_kernel(
      std::move(traits),
      [context, bias, parts = std::move(made.parts)](const Arguments& a) {
        std::byte* const bases[] = {a.inputs[0].data, a.packed, bias ? a.inputs[2].data : nullptr, a.outputs[0].data};
        parts.run(context, bases, a.scratch);
      },
      [context, packing](const Arguments& a) { packing.run(context, a.inputs[1].f32(), a.packed); });
}

}  // namespace fovea::cpu
