// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "backend/cuda/ops/block_frame.h"

namespace fovea::cuda {
namespace {

template <class T>
class Forward final : public Kernel {
 public:
  Forward(std::shared_ptr<Machine> machine, BlockFrame<T> frame, ChunkedProduct project)
      : machine_(std::move(machine)),
        frame_(std::move(frame)),
        project_(std::move(project)),
        name_(machine_->name() + "/block" + suffix_of<T>()) {}

  void pack(const Arguments& a) const override { frame_.pack(*machine_, a); }
  [[nodiscard]] std::size_t packed_bytes() const override { return frame_.packed(nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const override {
    Pieces pieces;
    (void)frame_.inside(pieces);
    return pieces.bytes();
  }
  [[nodiscard]] std::string_view name() const override { return name_; }

  void run(const Arguments& a) const override {
    const BlockOperands o(a, frame_.op.expands);
    const auto packed = frame_.packed(a.packed);
    Pieces pieces(a.scratch);
    const auto inside = frame_.inside(pieces);
    frame_.chunks.for_each([&](int first, int images) {
      const float* x = o.x + frame_.rows(first) * frame_.in;
      frame_.fill(*machine_, o, packed, inside, x, images);
      project_.of(images).run(machine_->stream(), inside.filtered, frame_.operand(o.wp, packed.wp), o.last,
                              frame_.op.residual ? x : nullptr, a.outputs[0].f32() + frame_.out_rows(first) * frame_.out);
    });
  }

 private:
  std::shared_ptr<Machine> machine_;
  BlockFrame<T> frame_;
  ChunkedProduct project_;
  std::string name_;
};

template <class T>
KernelResult prepare_forward(const Setup& setup, const InvertedResidual& op) {
  BlockFrame<T> frame(setup, op, setup.output(0));
  FOVEA_TRY(frame.prepare(setup, sizeof(T), sizeof(T)));
  FOVEA_ASSIGN(auto project, prepare_projection(setup, frame, true));
  return std::unique_ptr<Kernel>(std::make_unique<Forward<T>>(setup.machine, std::move(frame), std::move(project)));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const InvertedResidual& op) {
  return with_precision(op.precision, [&]<class T>(T) { return prepare_forward<T>(setup, op); });
}

}  // namespace fovea::cuda
