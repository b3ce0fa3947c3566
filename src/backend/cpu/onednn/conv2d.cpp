// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "backend/cpu/convolution_bf16.h"
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
  Parts parts;
  dnnl::memory::desc weights;  ///< of all parts
  bool plain = false;          ///< one of them at least runs oneDNN's plain loops
};

/// One convolution, with what all of its parts have in common.
class Splitter {
 public:
  Splitter(const Convolution& whole, DType x_type, bool bias, graph::Activation activation)
      : whole_(whole), x_type_(x_type), bias_(bias), activation_(activation) {}

  /// Many images: some whole images a part. Few: bands of rows of each.
  [[nodiscard]] Forward split() const {
    const std::int64_t images = whole_.x[0];
    const std::int64_t count = parts_for(whole_.flops(), images * whole_.y[2]);
    if (images >= count) return by_images(onednn::equal_parts(images, count));
    std::int64_t bands = onednn::equal_parts(whole_.y[2], (count + images - 1) / images);
    // All bands share one order of the weights. Where oneDNN has no fast kernel for one of them in it, fewer and higher ones do.
    for (; bands > 1; bands = (bands + 1) / 2) {
      Forward made = by_bands((whole_.y[2] + bands - 1) / bands);
      if (!made.plain) return made;
    }
    return by_images(images);
  }

 private:
  /// Some whole images a part.
  [[nodiscard]] Forward by_images(std::int64_t groups) const {
    const std::int64_t x_image = whole_.x[1] * whole_.x[2] * whole_.x[3];
    const std::int64_t y_image = whole_.y[1] * whole_.y[2] * whole_.y[3];
    Forward made;
    for (std::int64_t i = 0; i < groups; ++i) {
      const Range range = part_of(whole_.x[0], groups, i);
      add(made, whole_.images(range.size()), range.begin * x_image, range.begin * y_image);
    }
    return made;
  }

  /// Bands of `rows` rows of each image.
  [[nodiscard]] Forward by_bands(std::int64_t rows) const {
    const std::int64_t x_row = whole_.x[1] * whole_.x[3];
    const std::int64_t y_row = whole_.y[1] * whole_.y[3];
    Forward made;
    for (std::int64_t n = 0; n < whole_.x[0]; ++n) {
      for (std::int64_t begin = 0; begin < whole_.y[2]; begin += rows) {
        std::int64_t first_row = 0;
        const Convolution band = whole_.band(begin, std::min(begin + rows, whole_.y[2]), first_row);
        add(made, band, (n * whole_.x[2] + first_row) * x_row, (n * whole_.y[2] + begin) * y_row);
      }
    }
    return made;
  }

  void add(Forward& made, const Convolution& part, std::int64_t x_offset, std::int64_t y_offset) const {
    const bool first = made.parts.size() == 0;
    const auto one =
        part.forward(dnnl::prop_kind::forward_training, first ? part.any_weights() : made.weights, bias_, activation_);
    if (first) made.weights = one.weights_desc();
    made.plain = made.plain || onednn::is_plain(one.impl_info_str());
    const dnnl::convolution_forward primitive(one);
    const onednn::Operand x{DNNL_ARG_SRC, one.src_desc(), kX, x_offset, part.rounds(x_type_)};
    const onednn::Operand w{DNNL_ARG_WEIGHTS, made.weights, kW, 0};
    const onednn::Operand y{DNNL_ARG_DST, one.dst_desc(), kY, y_offset};
    if (bias_) {
      made.parts.add(primitive, one.scratchpad_desc(), {x, w, {DNNL_ARG_BIAS, one.bias_desc(), kB, 0}, y});
    } else {
      made.parts.add(primitive, one.scratchpad_desc(), {x, w, y});
    }
  }

  const Convolution& whole_;
  DType x_type_;  ///< in which x is kept
  bool bias_;
  graph::Activation activation_;
};

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Conv2d& op) {
  const bool own = setup.products == Products::kOwn || (setup.constant_weights && op.precision == graph::Precision::kF32);
  if (own) return prepare_dense(setup, op);
  if (has_own_convolution_bf16(op, setup.target)) return prepare_convolution_bf16(setup, op);
  const bool bias = setup.inputs() == 3;
  const Shape x = onednn::is_pointwise(op.window) ? onednn::as_rows(setup.input(0)) : setup.input(0);
  Convolution whole(op.window, x, setup.output(0).back(), op.precision);
  whole.results = onednn::type_of(setup.output_type(0));
  const onednn::ThreadSetting single(1);
  Forward made = Splitter(whole, setup.input_type(0), bias, op.activation).split();
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
