// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "backend/cuda/ops/live_block_frame.h"

namespace fovea::cuda {
namespace {

template <class T>
struct LiveForward {
  using Number = T;
  static constexpr std::string_view kName = "live_block";

  LiveFrame<T> f;
  ChunkedProduct projection;

  [[nodiscard]] std::size_t scratch_bytes() const {
    Pieces pieces;
    (void)f.inside(pieces, true);
    return pieces.bytes();
  }

  void run(Machine& machine, const Arguments& a) const {
    const Stream stream = machine.stream();
    const LiveOperands<T> o(a, f.at);
    const auto packed = f.packed(a.packed);
    Pieces pieces(a.scratch);
    const auto m = f.inside(pieces, true);
    NormVectors first_norm{};
    if (f.op.expands) {
      first_norm = {o.ge, o.be, a.outputs[2].f32(), a.outputs[3].f32(), f.op.eps};
      f.find_expansion(machine, o, packed, m, a.outputs[2].f32(), a.outputs[3].f32());
    }
    const std::size_t statistics = a.outputs.size() - 2;
    float *mean = a.outputs[statistics].f32(), *var = a.outputs[statistics + 1].f32();
    T* v = numbers_of<T>(a.outputs[1]);
    f.chunks.for_each([&](int first, int images) {
      T* target = v + f.out_rows(first) * f.inner;
      depthwise(stream, f.of(images), f.wide_of(machine, o, packed, m, first_norm, first, images), Activation::kNone,
                static_cast<const float*>(packed.wd), static_cast<const float*>(nullptr), Activation::kNone, target);
      f.add_moments(stream, static_cast<const T*>(target), m, f.filtered_grid, f.out_rows(images), m.filtered_sums, first > 0);
    });
    finish_moments(stream, m.filtered_sums, f.filtered_grid.parts, m.pivot, f.plane.out_rows(), f.inner, mean, var);
    project(machine, o, packed, m, v, f.second_norm(o, mean, var), a.outputs[0].f32());
  }

  void project(Machine& machine, const LiveOperands<T>& o, const typename LiveFrame<T>::Packed& packed,
               const typename LiveFrame<T>::Inside& m, const T* v, const NormVectors& norm, float* y) const {
    f.chunks.for_each([&](int first, int images) {
      normalise(machine.stream(), v + f.out_rows(first) * f.inner, norm, f.op.activation, m.filtered, f.out_rows(images),
                f.inner);
      projection.of(images).run(machine.stream(), m.filtered, f.operand(o.wp, packed.wp), nullptr, nullptr,
                                y + f.out_rows(first) * f.out);
    });
  }
};

template <class T>
KernelResult prepare(const Setup& setup, const graph::InvertedResidualTrain& op) {
  LiveFrame<T> frame(setup, op, setup.output(0));
  FOVEA_TRY(frame.prepare(setup, sizeof(float) + sizeof(T), 2 * sizeof(T)));
  FOVEA_ASSIGN(auto project, prepare_projection(setup, frame, false));
  return make_block(setup, LiveForward<T>{std::move(frame), std::move(project)});
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrain& op) {
  return with_precision(op.precision, [&]<class T>(T) { return prepare<T>(setup, op); });
}

}  // namespace fovea::cuda
