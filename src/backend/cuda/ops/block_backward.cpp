// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "backend/cuda/ops/block_frame.h"

namespace fovea::cuda {
namespace {

template <class T>
class Backward final : public Kernel {
 public:
  Backward(std::shared_ptr<Machine> machine, BlockFrame<T> frame, BackwardProducts products, Activation input_activation)
      : machine_(std::move(machine)),
        f_(std::move(frame)),
        products_(std::move(products)),
        input_activation_(input_activation),
        out_grid_(row_grid(f_.out_rows(f_.chunks.images), f_.out)),
        filtered_grid_(row_grid(f_.out_rows(f_.chunks.images), f_.inner)),
        taps_grid_(depthwise_grid(f_.of(f_.chunks.images))),
        name_(machine_->name() + "/block_backward" + suffix_of<T>()) {}

  void pack(const Arguments& a) const override { f_.pack(*machine_, a); }
  [[nodiscard]] std::size_t packed_bytes() const override { return f_.packed(nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override { return memory(nullptr).bytes; }
  [[nodiscard]] std::string_view name() const override { return name_; }

  void run(const Arguments& a) const override {
    const BlockOperands o(a, f_.op.expands);
    const auto packed = f_.packed(a.packed);
    const Memory m = memory(a.scratch);
    const Gradients d(a, f_.op.expands);
    f_.chunks.for_each([&](int first, int images) { chunk(o, packed, m, d, first, images); });
    const Stream stream = machine_->stream();
    fold(stream, m.of_out, out_grid_.parts, f_.out, d.bp);
    fold(stream, m.of_filtered, filtered_grid_.parts, f_.inner, d.bd);
    fold_depthwise(stream, f_.plane, m.of_taps, taps_grid_.parts, d.wd, d.be);
  }

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
  [[nodiscard]] Memory memory(std::byte* scratch) const {
    Pieces pieces(scratch);
    const int images = f_.chunks.images;
    Memory made{};
    made.inside = f_.inside(pieces);
    if (kRounds<T>) made.dy = pieces.take<T>(f_.out_rows(images) * f_.y_stride);
    made.filtered = pieces.take<float>(f_.out_rows(images) * f_.inner);
    made.g = pieces.take<T>(f_.out_rows(images) * f_.inner);
    if (f_.op.expands) made.dz = pieces.take<T>(f_.rows(images) * f_.inner);
    made.of_out = pieces.take<float>(partial_floats(out_grid_, 1, f_.out));
    made.of_filtered = pieces.take<float>(partial_floats(filtered_grid_, 1, f_.inner));
    made.of_taps = pieces.take<float>(partial_floats(taps_grid_, depthwise_values(f_.plane), f_.inner));
    made.bytes = pieces.bytes();
    return made;
  }
  void chunk(const BlockOperands& o, const typename BlockFrame<T>::Packed& packed, const Memory& m, const Gradients& d, int first,
             int images) const {
    const Stream stream = machine_->stream();
    const std::int64_t rows = f_.rows(images), out_rows = f_.out_rows(images);
    const float* x = o.x + f_.rows(first) * f_.in;
    const float* dy = o.last + f_.out_rows(first) * f_.out;
    const bool add = first > 0;
    f_.fill(*machine_, o, packed, m.inside, x, images);
    const T* dy_operand = f_.operand(stream, dy, m.dy, out_rows, f_.out, f_.y_stride, 0);
    products_.dwp.of(images).run(stream, dy_operand, m.inside.filtered, nullptr, add ? d.wp : nullptr, d.wp);
    sum_rows(stream, dy, f_.with_items(out_grid_, out_rows), m.of_out, add);
    products_.filtered.of(images).run(stream, dy_operand, f_.operand(o.wp, packed.wp), nullptr, nullptr, m.filtered);
    through_activation(stream, static_cast<const T*>(m.inside.filtered), f_.op.activation, static_cast<const float*>(m.filtered),
                       m.g, f_.with_items(filtered_grid_, out_rows), m.of_filtered, add);
    float* dx = d.x + f_.rows(first) * f_.in;
    through_depthwise(packed, m, x, dy, dx, rows, images, add);
    if (f_.op.expands) {
      products_.dwe.of(images).run(stream, m.dz, f_.operand(x, m.inside.x), nullptr, add ? d.we : nullptr, d.we);
      products_.dx.of(images).run(stream, m.dz, f_.operand(o.we, packed.we), nullptr, f_.op.residual ? dy : nullptr, dx);
    }
    if (input_activation_ != Activation::kNone) apply_slope(stream, x, dx, dx, rows * f_.in, input_activation_);
  }

  /// To dz; or, where x is not expanded, to dx.
  void through_depthwise(const typename BlockFrame<T>::Packed& packed, const Memory& m, const float* x, const float* dy,
                         float* dx, std::int64_t rows, int images, bool add) const {
    const auto go = [&](auto* target, const float* add_to) {
      depthwise_backward(machine_->stream(), f_.of(images), f_.wide(m.inside, x), f_.before(),
                         static_cast<const float*>(packed.wd), static_cast<const T*>(m.g), add_to, target,
                         f_.with_items(taps_grid_, rows), m.of_taps, add);
    };
    f_.op.expands ? go(m.dz, nullptr) : go(dx, f_.op.residual ? dy : nullptr);
  }

  std::shared_ptr<Machine> machine_;
  BlockFrame<T> f_;
  BackwardProducts products_;
  Activation input_activation_;
  SumsGrid out_grid_, filtered_grid_, taps_grid_;
  std::string name_;
};

template <class T>
KernelResult prepare_backward(const Setup& setup, const graph::InvertedResidualBackward& op) {
  BlockFrame<T> frame(setup, op.forward, setup.input(setup.inputs() - 1));
  // Wide: z and dz; at y's positions the filtered activations, their gradient in 32 bits, and what it becomes.
  FOVEA_TRY(frame.prepare(setup, 2 * sizeof(T), 2 * sizeof(T) + sizeof(float)));
  FOVEA_ASSIGN(auto products, prepare_products(setup, frame));
  return std::unique_ptr<Kernel>(
      std::make_unique<Backward<T>>(setup.machine, std::move(frame), std::move(products), op.input_activation));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualBackward& op) {
  return with_precision(op.forward.precision, [&]<class T>(T) { return prepare_backward<T>(setup, op); });
}

}  // namespace fovea::cuda
