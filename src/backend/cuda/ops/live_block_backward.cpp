// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "backend/cuda/ops/live_block_frame.h"

namespace fovea::cuda {
namespace {

template <class T>
class LiveBackward {
 public:
  using Number = T;
  static constexpr std::string_view kName = "live_block_backward";

  LiveBackward(LiveFrame<T> frame, BackwardProducts products)
      : f(std::move(frame)), products_(std::move(products)), taps_grid_(depthwise_grid(f.of(f.chunks.images))) {}

  [[nodiscard]] std::size_t scratch_bytes() const { return Memory(*this, nullptr).bytes; }

  /// Three passes: dwp and the sums that the second normalisation takes away; from there to the gradient before the first
  /// activation, and its sums; from there to dwe and dx.
  void run(Machine& machine, const Arguments& a) const {
    const Run r{machine, LiveOperands<T>(a, f.at), f.packed(a.packed), Memory(*this, a.scratch), Gradients(a, f.op.expands)};
    const Stream stream = machine.stream();
    f.chunks.for_each([&](int first, int images) { through_project(r, first, images); });
    fold_norm_gradient(stream, r.m.inside.filtered_sums, f.filtered_grid.parts, f.inner, r.d.gd, r.d.bd);
    f.chunks.for_each([&](int first, int images) { through_depthwise(r, first, images); });
    fold_depthwise(stream, f.plane, r.m.of_taps, taps_grid_.parts, r.d.wd, r.d.be, r.d.ge);
    if (!f.op.expands) return;
    f.chunks.for_each([&](int first, int images) { through_expand(r, first, images); });
  }

  LiveFrame<T> f;

 private:
  /// The outputs by name.
  struct Gradients {
    float *x, *we, *ge, *be, *wd, *gd, *bd, *wp;
    Gradients(const Arguments& a, bool expands)
        : x(a.outputs[0].f32()),
          we(expands ? a.outputs[1].f32() : nullptr),
          ge(expands ? a.outputs[2].f32() : nullptr),
          be(expands ? a.outputs[3].f32() : nullptr),
          wd(a.outputs[expands ? 4 : 1].f32()),
          gd(a.outputs[expands ? 5 : 2].f32()),
          bd(a.outputs[expands ? 6 : 3].f32()),
          wp(a.outputs[expands ? 7 : 4].f32()) {}
  };
  struct Memory {
    Memory(const LiveBackward& of, std::byte* scratch) {
      const LiveFrame<T>& frame = of.f;
      Pieces pieces(scratch);
      inside = frame.inside(pieces, false);
      dy = pieces.take<T>(kRounds<T> ? frame.out_rows(frame.chunks.images) * frame.y_stride : 0);
      filtered = pieces.take<float>(frame.out_rows(frame.chunks.images) * frame.inner);
      dv = pieces.take<T>(frame.out_rows(frame.chunks.images) * frame.inner);
      of_taps = pieces.take<float>(partial_floats(of.taps_grid_, depthwise_values(frame.plane, frame.op.expands), frame.inner));
      dz = pieces.take<T>(frame.op.expands ? frame.plane.rows() * frame.inner : 0);
      bytes = pieces.bytes();
    }
    typename LiveFrame<T>::Inside inside;
    T* dy;            ///< (out rows, y_stride), only where rounded
    float* filtered;  ///< (out rows, E): the gradient of the filtered activations
    T* dv;            ///< (out rows, E)
    float* of_taps;   ///< partial sums
    T* dz;            ///< (all rows, E): the gradient before the first activation; only where x is expanded
    std::size_t bytes;
  };
  struct Run {
    Machine& machine;
    LiveOperands<T> o;
    typename LiveFrame<T>::Packed packed;
    Memory m;
    Gradients d;
  };

  /// The gradient of a chunk's filtered activations; returns dy as an operand.
  const T* filtered_gradient(const Run& r, int first, int images) const {
    const float* dy = r.o.dy + f.out_rows(first) * f.out;
    const T* operand = f.operand(r.machine.stream(), dy, r.m.dy, f.out_rows(images), f.out, f.y_stride, 0);
    products_.filtered.of(images).run(r.machine.stream(), operand, f.operand(r.o.wp, r.packed.wp), nullptr, nullptr,
                                      r.m.filtered);
    return operand;
  }

  void through_project(const Run& r, int first, int images) const {
    const Stream stream = r.machine.stream();
    const std::int64_t rows = f.out_rows(images);
    const NormVectors norm = f.second_norm(r.o, r.o.md, r.o.sd);
    const T* v = r.o.v + f.out_rows(first) * f.inner;
    const bool add = first > 0;
    const T* dy = filtered_gradient(r, first, images);
    normalise(stream, v, norm, f.op.activation, r.m.inside.filtered, rows, f.inner);
    products_.dwp.of(images).run(stream, dy, r.m.inside.filtered, nullptr, add ? r.d.wp : nullptr, r.d.wp);
    norm_gradient_sums(stream, v, norm, static_cast<const float*>(r.m.filtered), f.op.activation, f.inner,
                       f.with_items(f.filtered_grid, rows), r.m.inside.filtered_sums, add);
  }

  void through_depthwise(const Run& r, int first, int images) const {
    const Stream stream = r.machine.stream();
    const std::int64_t rows = f.rows(images), rows_before = f.rows(first), out_rows = f.out_rows(images);
    (void)filtered_gradient(r, first, images);
    norm_input_gradient(stream, r.o.v + f.out_rows(first) * f.inner, f.second_norm(r.o, r.o.md, r.o.sd),
                        static_cast<const float*>(r.m.filtered), f.op.activation, r.d.gd, r.d.bd, f.plane.out_rows(), out_rows,
                        f.inner, r.m.dv);
    const Plane plane = f.of(images);
    const SumsGrid grid = f.with_items(taps_grid_, rows);
    const T* dv = r.m.dv;
    if (f.op.expands) {
      f.expand_chunk(r.machine, r.o, r.packed, r.m.inside, first, images);
      normalised_depthwise_backward(stream, plane, r.m.inside.expanded, first_norm(r), f.op.activation, r.packed.wd, dv,
                                    r.m.dz + rows_before * f.inner, grid, r.m.of_taps, first > 0);
    } else {
      depthwise_backward(stream, plane, f.operand_of(r.machine, r.o, r.m.inside, first, images), Activation::kNone,
                         static_cast<const float*>(r.packed.wd), dv, static_cast<const float*>(nullptr),
                         r.d.x + rows_before * f.in, grid, r.m.of_taps, first > 0);
    }
  }

  void through_expand(const Run& r, int first, int images) const {
    const Stream stream = r.machine.stream();
    const T* x = f.expand_chunk(r.machine, r.o, r.packed, r.m.inside, first, images);
    T* du = r.m.inside.wide;
    norm_input_gradient(stream, static_cast<const float*>(r.m.inside.expanded), first_norm(r),
                        static_cast<const T*>(r.m.dz + f.rows(first) * f.inner), Activation::kNone, r.d.ge, r.d.be,
                        f.plane.rows(), f.rows(images), f.inner, du);
    products_.dwe.of(images).run(stream, du, x, nullptr, first > 0 ? r.d.we : nullptr, r.d.we);
    products_.dx.of(images).run(stream, du, f.operand(r.o.we, r.packed.we), nullptr, nullptr, r.d.x + f.rows(first) * f.in);
  }

  [[nodiscard]] NormVectors first_norm(const Run& r) const { return {r.o.ge, r.o.be, r.o.me, r.o.se, f.op.eps}; }

  BackwardProducts products_;
  SumsGrid taps_grid_;
};

template <class T>
KernelResult prepare(const Setup& setup, const graph::InvertedResidualTrain& op) {
  LiveFrame<T> frame(setup, op, setup.input(setup.inputs() - 1));
  // Wide: sums, dz and what it becomes; at v's positions v, the filtered activations, their gradient in 32 bits, and dv.
  FOVEA_TRY(frame.prepare(setup, sizeof(float) + 2 * sizeof(T), sizeof(float) + 3 * sizeof(T)));
  FOVEA_ASSIGN(auto products, prepare_products(setup, frame));
  return make_block(setup, LiveBackward<T>(std::move(frame), std::move(products)));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrainBackward& op) {
  return with_precision(op.forward.precision, [&]<class T>(T) { return prepare<T>(setup, op.forward); });
}

}  // namespace fovea::cuda
