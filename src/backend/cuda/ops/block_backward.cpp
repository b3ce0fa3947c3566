// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "backend/cuda/ops/block_frame.h"

namespace fovea::cuda {
namespace {

template <class T>
class Backward {
 public:
  using Number = T;
  static constexpr std::string_view kName = "block_backward";

  Backward(BlockFrame<T> frame, BackwardProducts products, Activation input_activation)
      : f(std::move(frame)),
        products_(std::move(products)),
        input_activation_(input_activation),
        out_grid_(row_grid(f.out_rows(f.chunks.images), f.out)),
        filtered_grid_(row_grid(f.out_rows(f.chunks.images), f.inner)),
        taps_grid_(depthwise_grid(f.of(f.chunks.images))) {}

  [[nodiscard]] std::size_t scratch_bytes() const { return memory(nullptr).bytes; }

  void run(Machine& machine, const Arguments& a) const {
    const Run r{machine, BlockOperands(a, f.op.expands), f.packed(a.packed), memory(a.scratch), Gradients(a, f.op.expands)};
    f.chunks.for_each([&](int first, int images) { chunk(r, first, images); });
    const Stream stream = machine.stream();
    fold(stream, r.m.of_out, out_grid_.parts, f.out, r.d.bp);
    fold(stream, r.m.of_filtered, filtered_grid_.parts, f.inner, r.d.bd);
    fold_depthwise(stream, f.plane, r.m.of_taps, taps_grid_.parts, r.d.wd, r.d.be, nullptr);
  }

  BlockFrame<T> f;

 private:
  /// The outputs by name.
  struct Gradients {
    float *x, *we, *be, *wd, *bd, *wp, *bp;
    Gradients(const Arguments& a, bool expands)
        : x(a.outputs[0].f32()),
          we(expands ? a.outputs[1].f32() : nullptr),
          be(expands ? a.outputs[2].f32() : nullptr),
          wd(a.outputs[expands ? 3 : 1].f32()),
          bd(a.outputs[expands ? 4 : 2].f32()),
          wp(a.outputs[expands ? 5 : 3].f32()),
          bp(a.outputs[expands ? 6 : 4].f32()) {}
  };
  struct Memory {
    typename BlockFrame<T>::Inside inside;
    T* dy;                                  ///< (out rows, y_stride), only where rounded
    float* filtered;                        ///< (out rows, E): the gradient of the filtered activations
    T* g;                                   ///< (out rows, E): before the second activation
    T* dz;                                  ///< (rows, E): before the first; only where x is expanded
    float *of_out, *of_filtered, *of_taps;  ///< partial sums
    std::size_t bytes;
  };
  struct Run {
    Machine& machine;
    BlockOperands o;
    typename BlockFrame<T>::Packed packed;
    Memory m;
    Gradients d;
  };
  [[nodiscard]] Memory memory(std::byte* scratch) const {
    Pieces pieces(scratch);
    const int images = f.chunks.images;
    Memory made{};
    made.inside = f.inside(pieces);
    if (kRounds<T>) made.dy = pieces.take<T>(f.out_rows(images) * f.y_stride);
    made.filtered = pieces.take<float>(f.out_rows(images) * f.inner);
    made.g = pieces.take<T>(f.out_rows(images) * f.inner);
    if (f.op.expands) made.dz = pieces.take<T>(f.rows(images) * f.inner);
    made.of_out = pieces.take<float>(partial_floats(out_grid_, 1, f.out));
    made.of_filtered = pieces.take<float>(partial_floats(filtered_grid_, 1, f.inner));
    made.of_taps = pieces.take<float>(partial_floats(taps_grid_, depthwise_values(f.plane), f.inner));
    made.bytes = pieces.bytes();
    return made;
  }
  void chunk(const Run& r, int first, int images) const {
    const Stream stream = r.machine.stream();
    const std::int64_t rows = f.rows(images), out_rows = f.out_rows(images);
    const float* x = r.o.x + f.rows(first) * f.in;
    const float* dy = r.o.last + f.out_rows(first) * f.out;
    const bool add = first > 0;
    f.fill(r.machine, r.o, r.packed, r.m.inside, x, images);
    const T* dy_operand = f.operand(stream, dy, r.m.dy, out_rows, f.out, f.y_stride, 0);
    products_.dwp.of(images).run(stream, dy_operand, r.m.inside.filtered, nullptr, add ? r.d.wp : nullptr, r.d.wp);
    sum_rows(stream, dy, f.with_items(out_grid_, out_rows), r.m.of_out, add);
    products_.filtered.of(images).run(stream, dy_operand, f.operand(r.o.wp, r.packed.wp), nullptr, nullptr, r.m.filtered);
    through_activation(stream, static_cast<const T*>(r.m.inside.filtered), f.op.activation,
                       static_cast<const float*>(r.m.filtered), r.m.g, f.with_items(filtered_grid_, out_rows), r.m.of_filtered,
                       add);
    float* dx = r.d.x + f.rows(first) * f.in;
    through_depthwise(r, x, dy, dx, images, add);
    if (f.op.expands) {
      products_.dwe.of(images).run(stream, r.m.dz, f.operand(x, r.m.inside.x), nullptr, add ? r.d.we : nullptr, r.d.we);
      products_.dx.of(images).run(stream, r.m.dz, f.operand(r.o.we, r.packed.we), nullptr, f.op.residual ? dy : nullptr, dx);
    }
    if (input_activation_ != Activation::kNone) apply_slope(stream, x, dx, dx, rows * f.in, input_activation_);
  }

  /// To dz; or, where x is not expanded, to dx.
  void through_depthwise(const Run& r, const float* x, const float* dy, float* dx, int images, bool add) const {
    const auto go = [&](auto* target, const float* add_to) {
      depthwise_backward(r.machine.stream(), f.of(images), f.wide(r.m.inside, x), f.before(),
                         static_cast<const float*>(r.packed.wd), static_cast<const T*>(r.m.g), add_to, target,
                         f.with_items(taps_grid_, f.rows(images)), r.m.of_taps, add);
    };
    f.op.expands ? go(r.m.dz, nullptr) : go(dx, f.op.residual ? dy : nullptr);
  }

  BackwardProducts products_;
  Activation input_activation_;
  SumsGrid out_grid_, filtered_grid_, taps_grid_;
};

template <class T>
KernelResult prepare_backward(const Setup& setup, const graph::InvertedResidualBackward& op) {
  BlockFrame<T> frame(setup, op.forward, setup.input(setup.inputs() - 1));
  // Wide: z and dz; at y's positions the filtered activations, their gradient in 32 bits, and what it becomes.
  FOVEA_TRY(frame.prepare(setup, 2 * sizeof(T), 2 * sizeof(T) + sizeof(float)));
  FOVEA_ASSIGN(auto products, prepare_products(setup, frame));
  return make_block(setup, Backward<T>(std::move(frame), std::move(products), op.input_activation));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualBackward& op) {
  return with_precision(op.forward.precision, [&]<class T>(T) { return prepare_backward<T>(setup, op); });
}

}  // namespace fovea::cuda
