// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "backend/cuda/ops/block_frame.h"

namespace fovea::cuda {
namespace {

template <class T>
struct Forward {
  using Number = T;
  static constexpr std::string_view kName = "block";

  BlockFrame<T> f;
  ChunkedProduct project;

  [[nodiscard]] std::size_t scratch_bytes() const {
    Pieces pieces;
    (void)f.inside(pieces);
    return pieces.bytes();
  }

  void run(Machine& machine, const Arguments& a) const {
    const BlockOperands o(a, f.op.expands);
    const auto packed = f.packed(a.packed);
    Pieces pieces(a.scratch);
    const auto inside = f.inside(pieces);
    f.chunks.for_each([&](int first, int images) {
      const float* x = o.x + f.rows(first) * f.in;
      f.fill(machine, o, packed, inside, x, images);
      project.of(images).run(machine.stream(), inside.filtered, f.operand(o.wp, packed.wp), o.last, f.op.residual ? x : nullptr,
                             a.outputs[0].f32() + f.out_rows(first) * f.out);
    });
  }
};

template <class T>
KernelResult prepare_forward(const Setup& setup, const InvertedResidual& op) {
  BlockFrame<T> frame(setup, op, setup.output(0));
  FOVEA_TRY(frame.prepare(setup, sizeof(T), sizeof(T)));
  FOVEA_ASSIGN(auto project, prepare_projection(setup, frame, true));
  return make_block(setup, Forward<T>{std::move(frame), std::move(project)});
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const InvertedResidual& op) {
  return with_precision(op.precision, [&]<class T>(T) { return prepare_forward<T>(setup, op); });
}

}  // namespace fovea::cuda
