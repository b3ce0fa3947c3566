// SPDX-License-Identifier: Apache-2.0
//
// An inverted residual block, a few images at a time: so few that its wide activations, which exist only between its kernels, fit
// in half of the second-level cache. Backward computes them anew. In bf16, T is what they are stored as: x and the weights are
// rounded into rows of their own, and the bias of the expansion travels in them as three more columns against ones in x, whose
// sum is exact to 24 bits: so the library needs no epilogue, and nothing is rounded that the op does not ask for.
#include <type_traits>
#include <utility>

#include "backend/cuda/chunks.h"
#include "backend/cuda/setup.h"

namespace fovea::cuda {
namespace {

using graph::InvertedResidual;

template <class T>
constexpr bool kRounds = !std::is_same_v<T, float>;

/// Of a row of `channels` values that a product reads.
template <class T>
int stride_of(int channels) {
  return kRounds<T> ? (channels + 7) / 8 * 8 : channels;
}

/// The inputs of either pass by name.
struct Operands {
  const float *x, *we, *be, *wd, *bd, *wp, *last;
  Operands(const Arguments& a, bool expands)
      : x(a.inputs[0].f32()),
        we(expands ? a.inputs[1].f32() : nullptr),
        be(expands ? a.inputs[2].f32() : nullptr),
        wd(a.inputs[expands ? 3 : 1].f32()),
        bd(a.inputs[expands ? 4 : 2].f32()),
        wp(a.inputs[expands ? 5 : 3].f32()),
        last(a.inputs[expands ? 6 : 4].f32()) {}  // bp or dy
};

/// What both passes share: the sizes, the packed weights, and the way to the filtered activations.
template <class T>
struct Frame {
  static constexpr Number kNumber = kRounds<T> ? Number::kBF16 : Number::kF32;

  InvertedResidual op;
  Plane plane;  ///< of the depthwise convolution: E channels
  int in, inner, out;
  int x_stride, y_stride;
  Chunks chunks{};
  ChunkedProduct expand;

  Frame(const Setup& setup, const InvertedResidual& block, const Shape& y)
      : op(block),
        plane(plane_of(block.window, setup.input(0), y)),
        in(plane.channels),
        inner(static_cast<int>(setup.input(block.expands ? 3 : 1)[0])),
        out(static_cast<int>(y[3])),
        x_stride(stride_of<T>(in + (block.expands && kRounds<T> ? 3 : 0))),
        y_stride(stride_of<T>(out)) {
    plane.channels = inner;
    if (!op.expands) x_stride = in;
  }

  [[nodiscard]] std::int64_t rows(int images) const { return std::int64_t{images} * plane.height * plane.width; }
  [[nodiscard]] std::int64_t out_rows(int images) const { return std::int64_t{images} * plane.out_height * plane.out_width; }
  [[nodiscard]] Plane of(int images) const {
    Plane part = plane;
    part.images = images;
    return part;
  }
  /// Chunks of images for each of which kernels hand `wide` bytes a position of x, and `filtered` a position of y, to each other.
  Result<void> prepare(const Setup& setup, std::size_t wide, std::size_t filtered) {
    const auto channels = static_cast<std::size_t>(inner);
    const std::size_t bytes =
        (static_cast<std::size_t>(rows(1)) * (op.expands ? wide : 0) + static_cast<std::size_t>(out_rows(1)) * filtered) *
        channels;
    chunks = Chunks::of(plane.images, bytes, setup.machine->cache_bytes());
    if (!op.expands) return {};
    FOVEA_ASSIGN(expand, ChunkedProduct::prepare(setup.machine->products(), chunks,
                                                 {.m = rows(1),
                                                  .n = inner,
                                                  .k = x_stride,
                                                  .b_transposed = true,
                                                  .a_stride = x_stride,
                                                  .b_stride = x_stride,
                                                  .c_stride = inner,
                                                  .operands = kNumber,
                                                  .result = kNumber,
                                                  .bias = !kRounds<T>},
                                                 false));
    return {};
  }

  struct Packed {
    float* wd;  ///< (taps, E)
    T* we;      ///< (E, x_stride), only where rounded
    T* wp;      ///< (K, E), only where rounded
    std::size_t bytes;
  };
  [[nodiscard]] Packed packed(std::byte* memory) const {
    Pieces pieces(memory);
    Packed made{};
    made.wd = pieces.take<float>(std::int64_t{plane.taps()} * inner);
    if (kRounds<T>) {
      if (op.expands) made.we = pieces.take<T>(std::int64_t{inner} * x_stride);
      made.wp = pieces.take<T>(std::int64_t{out} * inner);
    }
    made.bytes = pieces.bytes();
    return made;
  }
  void pack(Machine& machine, const Arguments& a) const {
    const Operands in_order(a, op.expands);
    const Packed p = packed(a.packed);
    transpose(machine.stream(), in_order.wd, p.wd, inner, plane.taps());
    if constexpr (kRounds<T>) {
      if (op.expands) round_weights(machine.stream(), in_order.we, in_order.be, p.we, inner, in, x_stride);
      round_weights<T>(machine.stream(), in_order.wp, nullptr, p.wp, out, inner, inner);
    }
  }

  /// Between the block's ends, for a chunk.
  struct Inside {
    T* x;         ///< (rows, x_stride), only where rounded
    T* expanded;  ///< (rows, E), before the activation; only where x is expanded
    T* filtered;  ///< (out rows, E), after it
  };
  [[nodiscard]] Inside inside(Pieces& pieces) const {
    Inside made{};
    if (kRounds<T>) made.x = pieces.take<T>(rows(chunks.images) * x_stride);
    if (op.expands) made.expanded = pieces.take<T>(rows(chunks.images) * inner);
    made.filtered = pieces.take<T>(out_rows(chunks.images) * inner);
    return made;
  }
  /// x as an operand of products.
  [[nodiscard]] const T* operand(const Inside& memory, const float* x) const {
    if constexpr (kRounds<T>)
      return memory.x;
    else
      return x;
  }
  /// What the depthwise convolution reads, and through which activation.
  [[nodiscard]] const T* wide(const Inside& memory, const float* x) const {
    return op.expands ? memory.expanded : operand(memory, x);
  }
  [[nodiscard]] Activation before() const { return op.expands ? op.activation : Activation::kNone; }
  [[nodiscard]] const T* we(const Packed& p, const Operands& o) const {
    if constexpr (kRounds<T>)
      return p.we;
    else
      return o.we;
  }
  [[nodiscard]] const T* wp(const Packed& p, const Operands& o) const {
    if constexpr (kRounds<T>)
      return p.wp;
    else
      return o.wp;
  }

  /// From `images` images at x to the filtered activations.
  void fill(Machine& machine, const Operands& o, const Packed& p, const Inside& memory, const float* x, int images) const {
    const Stream stream = machine.stream();
    if constexpr (kRounds<T>) round_rows(stream, x, memory.x, rows(images), in, x_stride, op.expands ? 3 : 0);
    if (op.expands) {
      expand.of(images).run(stream, operand(memory, x), we(p, o), kRounds<T> ? nullptr : o.be, nullptr, memory.expanded);
    }
    depthwise(stream, of(images), wide(memory, x), before(), static_cast<const float*>(p.wd), o.bd, op.activation,
              memory.filtered);
  }
};

template <class T>
class Forward final : public Kernel {
 public:
  Forward(std::shared_ptr<Machine> machine, Frame<T> frame, ChunkedProduct project)
      : machine_(std::move(machine)),
        frame_(std::move(frame)),
        project_(std::move(project)),
        name_(machine_->name() + (kRounds<T> ? "/block_bf16" : "/block")) {}

  void pack(const Arguments& a) const override { frame_.pack(*machine_, a); }
  [[nodiscard]] std::size_t packed_bytes() const override { return frame_.packed(nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override {
    Pieces pieces;
    (void)frame_.inside(pieces);
    return pieces.bytes();
  }
  [[nodiscard]] std::string_view name() const override { return name_; }

  void run(const Arguments& a) const override {
    const Operands o(a, frame_.op.expands);
    const auto packed = frame_.packed(a.packed);
    Pieces pieces(a.scratch);
    const auto inside = frame_.inside(pieces);
    frame_.chunks.for_each([&](int first, int images) {
      const float* x = o.x + frame_.rows(first) * frame_.in;
      frame_.fill(*machine_, o, packed, inside, x, images);
      project_.of(images).run(machine_->stream(), inside.filtered, frame_.wp(packed, o), o.last, frame_.op.residual ? x : nullptr,
                              a.outputs[0].f32() + frame_.out_rows(first) * frame_.out);
    });
  }

 private:
  std::shared_ptr<Machine> machine_;
  Frame<T> frame_;
  ChunkedProduct project_;
  std::string name_;
};

template <class T>
KernelResult prepare_forward(const Setup& setup, const InvertedResidual& op) {
  Frame<T> frame(setup, op, setup.output(0));
  FOVEA_TRY(frame.prepare(setup, sizeof(T), sizeof(T)));
  FOVEA_ASSIGN(auto project, ChunkedProduct::prepare(setup.machine->products(), frame.chunks,
                                                     {.m = frame.out_rows(1),
                                                      .n = frame.out,
                                                      .k = frame.inner,
                                                      .b_transposed = true,
                                                      .a_stride = frame.inner,
                                                      .b_stride = frame.inner,
                                                      .c_stride = frame.out,
                                                      .operands = Frame<T>::kNumber,
                                                      .bias = true},
                                                     false));
  return std::unique_ptr<Kernel>(std::make_unique<Forward<T>>(setup.machine, std::move(frame), std::move(project)));
}

/// The products of a backward pass beside those of the frame.
struct BackwardProducts {
  ChunkedProduct dwp;       ///< dy' filtered
  ChunkedProduct filtered;  ///< dy wp
  ChunkedProduct dwe;       ///< dz' x
  ChunkedProduct dx;        ///< dz we
};

template <class T>
Result<BackwardProducts> prepare_products(const Setup& setup, const Frame<T>& f) {
  Products& products = setup.machine->products();
  const Number number = Frame<T>::kNumber;
  BackwardProducts made;
  FOVEA_ASSIGN(made.dwp, ChunkedProduct::prepare(products, f.chunks,
                                                 {.m = f.out,
                                                  .n = f.inner,
                                                  .k = f.out_rows(1),
                                                  .a_transposed = true,
                                                  .a_stride = f.y_stride,
                                                  .b_stride = f.inner,
                                                  .c_stride = f.inner,
                                                  .operands = number},
                                                 true));
  FOVEA_ASSIGN(made.filtered, ChunkedProduct::prepare(products, f.chunks,
                                                      {.m = f.out_rows(1),
                                                       .n = f.inner,
                                                       .k = f.out,
                                                       .a_stride = f.y_stride,
                                                       .b_stride = f.inner,
                                                       .c_stride = f.inner,
                                                       .operands = number},
                                                      false));
  if (!f.op.expands) return made;
  FOVEA_ASSIGN(made.dwe, ChunkedProduct::prepare(products, f.chunks,
                                                 {.m = f.inner,
                                                  .n = f.in,
                                                  .k = f.rows(1),
                                                  .a_transposed = true,
                                                  .a_stride = f.inner,
                                                  .b_stride = f.x_stride,
                                                  .c_stride = f.in,
                                                  .operands = number},
                                                 true));
  FOVEA_ASSIGN(made.dx, ChunkedProduct::prepare(products, f.chunks,
                                                {.m = f.rows(1),
                                                 .n = f.in,
                                                 .k = f.inner,
                                                 .a_stride = f.inner,
                                                 .b_stride = f.x_stride,
                                                 .c_stride = f.in,
                                                 .operands = number},
                                                false));
  return made;
}

template <class T>
class Backward final : public Kernel {
 public:
  Backward(std::shared_ptr<Machine> machine, Frame<T> frame, BackwardProducts products, Activation input_activation)
      : machine_(std::move(machine)),
        f_(std::move(frame)),
        products_(std::move(products)),
        input_activation_(input_activation),
        out_grid_(row_grid(f_.out_rows(f_.chunks.images), f_.out)),
        filtered_grid_(row_grid(f_.out_rows(f_.chunks.images), f_.inner)),
        taps_grid_(depthwise_grid(f_.of(f_.chunks.images))),
        name_(machine_->name() + (kRounds<T> ? "/block_backward_bf16" : "/block_backward")) {}

  void pack(const Arguments& a) const override { f_.pack(*machine_, a); }
  [[nodiscard]] std::size_t packed_bytes() const override { return f_.packed(nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override { return memory(nullptr).bytes; }
  [[nodiscard]] std::string_view name() const override { return name_; }

  void run(const Arguments& a) const override {
    const Operands o(a, f_.op.expands);
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
    typename Frame<T>::Inside inside;
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
  [[nodiscard]] static SumsGrid with_items(SumsGrid grid, std::int64_t items) {
    grid.items = static_cast<int>(items);
    return grid;
  }

  void chunk(const Operands& o, const typename Frame<T>::Packed& packed, const Memory& m, const Gradients& d, int first,
             int images) const {
    const Stream stream = machine_->stream();
    const std::int64_t rows = f_.rows(images), out_rows = f_.out_rows(images);
    const float* x = o.x + f_.rows(first) * f_.in;
    const float* dy = o.last + f_.out_rows(first) * f_.out;
    const bool add = first > 0;
    f_.fill(*machine_, o, packed, m.inside, x, images);
    const T* dy_operand = nullptr;
    if constexpr (kRounds<T>) {
      round_rows(stream, dy, m.dy, out_rows, f_.out, f_.y_stride, 0);
      dy_operand = m.dy;
    } else {
      dy_operand = dy;
    }
    products_.dwp.of(images).run(stream, dy_operand, m.inside.filtered, nullptr, add ? d.wp : nullptr, d.wp);
    sum_rows(stream, dy, with_items(out_grid_, out_rows), m.of_out, add);
    products_.filtered.of(images).run(stream, dy_operand, f_.wp(packed, o), nullptr, nullptr, m.filtered);
    through_activation(stream, static_cast<const T*>(m.inside.filtered), f_.op.activation, static_cast<const float*>(m.filtered),
                       m.g, with_items(filtered_grid_, out_rows), m.of_filtered, add);
    float* dx = d.x + f_.rows(first) * f_.in;
    through_depthwise(packed, m, x, dy, dx, rows, images, add);
    if (f_.op.expands) {
      products_.dwe.of(images).run(stream, m.dz, f_.operand(m.inside, x), nullptr, add ? d.we : nullptr, d.we);
      products_.dx.of(images).run(stream, m.dz, f_.we(packed, o), nullptr, f_.op.residual ? dy : nullptr, dx);
    }
    if (input_activation_ != Activation::kNone) apply_slope(stream, x, dx, dx, rows * f_.in, input_activation_);
  }

  /// To dz; or, where x is not expanded, to dx.
  void through_depthwise(const typename Frame<T>::Packed& packed, const Memory& m, const float* x, const float* dy, float* dx,
                         std::int64_t rows, int images, bool add) const {
    const auto go = [&](auto* target, const float* add_to) {
      depthwise_backward(machine_->stream(), f_.of(images), f_.wide(m.inside, x), f_.before(),
                         static_cast<const float*>(packed.wd), static_cast<const T*>(m.g), add_to, target,
                         with_items(taps_grid_, rows), m.of_taps, add);
    };
    f_.op.expands ? go(m.dz, nullptr) : go(dx, f_.op.residual ? dy : nullptr);
  }

  std::shared_ptr<Machine> machine_;
  Frame<T> f_;
  BackwardProducts products_;
  Activation input_activation_;
  SumsGrid out_grid_, filtered_grid_, taps_grid_;
  std::string name_;
};

template <class T>
KernelResult prepare_backward(const Setup& setup, const graph::InvertedResidualBackward& op) {
  Frame<T> frame(setup, op.forward, setup.input(setup.inputs() - 1));
  // Wide: z and dz; at y's positions the filtered activations, their gradient in 32 bits, and what it becomes.
  FOVEA_TRY(frame.prepare(setup, 2 * sizeof(T), 2 * sizeof(T) + sizeof(float)));
  FOVEA_ASSIGN(auto products, prepare_products(setup, frame));
  return std::unique_ptr<Kernel>(
      std::make_unique<Backward<T>>(setup.machine, std::move(frame), std::move(products), op.input_activation));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const InvertedResidual& op) {
  return op.precision == graph::Precision::kBF16 ? prepare_forward<Bf16>(setup, op) : prepare_forward<float>(setup, op);
}

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualBackward& op) {
  return op.forward.precision == graph::Precision::kBF16 ? prepare_backward<Bf16>(setup, op) : prepare_backward<float>(setup, op);
}

namespace {

Error no_live_block(const Setup& setup) {
  return fail(Error::Kind::kUnsupported, "{} backend: {} has no kernel", setup.machine->name(), graph::name_of(setup.node.op));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrain& /*op*/) { return no_live_block(setup); }
KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrainBackward& /*op*/) { return no_live_block(setup); }

}  // namespace fovea::cuda
