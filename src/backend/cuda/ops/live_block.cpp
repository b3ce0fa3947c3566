// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "backend/cuda/ops/live_block_frame.h"

namespace fovea::cuda {
namespace {

template <class T>
class LiveForward final : public Kernel {
 public:
  LiveForward(std::shared_ptr<Machine> machine, LiveFrame<T> frame, ChunkedProduct project)
      : machine_(std::move(machine)),
        f_(std::move(frame)),
        project_(std::move(project)),
        name_(machine_->name() + "/live_block" + suffix_of<T>()) {}

  void pack(const Arguments& a) const override { f_.pack(*machine_, a); }
  [[nodiscard]] std::size_t packed_bytes() const override { return f_.packed(nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override {
    Pieces pieces;
    (void)f_.inside(pieces);
    return pieces.bytes();
  }
  [[nodiscard]] std::string_view name() const override { return name_; }

  void run(const Arguments& a) const override {
    const Stream stream = machine_->stream();
    const LiveOperands<T> o(a, f_.at);
    const auto packed = f_.packed(a.packed);
    Pieces pieces(a.scratch);
    const auto m = f_.inside(pieces);
    NormVectors first_norm{};
    if (f_.op.expands) {
      first_norm = {o.ge, o.be, a.outputs[2].f32(), a.outputs[3].f32(), f_.op.eps};
      f_.find_expansion(*machine_, o, packed, m, a.outputs[2].f32(), a.outputs[3].f32());
    }
    const std::size_t statistics = a.outputs.size() - 2;
    float *mean = a.outputs[statistics].f32(), *var = a.outputs[statistics + 1].f32();
    T* v = reinterpret_cast<T*>(a.outputs[1].data);
    f_.chunks.for_each([&](int first, int images) {
      T* target = v + f_.out_rows(first) * f_.inner;
      depthwise(stream, f_.of(images), f_.wide_of(*machine_, o, packed, m, first_norm, first, images), Activation::kNone,
                static_cast<const float*>(packed.wd), static_cast<const float*>(nullptr), Activation::kNone, target);
      f_.add_moments(stream, static_cast<const T*>(target), m, f_.filtered_grid, f_.out_rows(images), m.filtered_sums, first > 0);
    });
    finish_moments(stream, m.filtered_sums, f_.filtered_grid.parts, m.pivot, f_.plane.out_rows(), f_.inner, mean, var);
    project(o, packed, m, v, f_.second_norm(o, mean, var), a.outputs[0].f32());
  }

 private:
  void project(const LiveOperands<T>& o, const typename LiveFrame<T>::Packed& packed, const typename LiveFrame<T>::Inside& m,
               const T* v, const NormVectors& norm, float* y) const {
    f_.chunks.for_each([&](int first, int images) {
      normalise(machine_->stream(), v + f_.out_rows(first) * f_.inner, norm, f_.op.activation, m.filtered, f_.out_rows(images),
                f_.inner);
      project_.of(images).run(machine_->stream(), m.filtered, f_.operand(o.wp, packed.wp), nullptr, nullptr,
                              y + f_.out_rows(first) * f_.out);
    });
  }

  std::shared_ptr<Machine> machine_;
  LiveFrame<T> f_;
  ChunkedProduct project_;
  std::string name_;
};

template <class T>
KernelResult prepare(const Setup& setup, const graph::InvertedResidualTrain& op) {
  LiveFrame<T> frame(setup, op, setup.output(0));
  FOVEA_TRY(frame.prepare(setup, sizeof(float) + sizeof(T), 2 * sizeof(T)));
  FOVEA_ASSIGN(auto project, prepare_projection(setup, frame, false));
  return std::unique_ptr<Kernel>(std::make_unique<LiveForward<T>>(setup.machine, std::move(frame), std::move(project)));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::InvertedResidualTrain& op) {
  return with_precision(op.precision, [&]<class T>(T) { return prepare<T>(setup, op); });
}

}  // namespace fovea::cuda
