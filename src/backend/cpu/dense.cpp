// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/dense.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/choose.h"
#include "backend/cpu/dense_convolution.h"
#include "backend/function_kernel.h"

namespace fovea::cpu {
namespace {

std::unique_ptr<Kernel> fastest_of(const Setup& setup, std::string_view name, const graph::Window& window,
                                   graph::Activation activation, bool bias) {
  const DenseWork work = forward_work(window, setup.input(0), setup.output(0).back());
  const std::vector<DenseSplit> splits = splits_of(work, setup.context.threads);
  const std::string fields = fmt::format("{} {}x{}/{} pad {} {} {} {}", name, window.kernel_h, window.kernel_w, window.stride,
                                         window.pad.top, window.pad.left, window.pad.bottom, window.pad.right);
  return choose(setup, fields, splits.size(), [&](std::size_t i) {
    const auto dense = std::make_shared<const DenseConvolution>(setup, work, splits[i], activation);
    return make_kernel(
        {setup.kernel_name(name), dense->packed_bytes(), dense->scratch_bytes(), std::nullopt, true},
        [dense](const Arguments& a) { dense->run(a.inputs[0].f32(), a.packed, a.scratch, a.outputs[0].f32()); },
        [dense, bias](const Arguments& a) { dense->pack(a.inputs[1].f32(), bias ? a.inputs[2].f32() : nullptr, a.packed); });
  });
}

/// Convolutions of dy that give the gradient by x, one after the other.
class DenseBackward {
 public:
  DenseBackward(const Setup& setup, const std::vector<DenseWork>& works) {
    for (const DenseWork& work : works) {
      phases_.emplace_back(setup, work, splits_of(work, setup.context.threads).front(), graph::Activation::kNone);
      packed_.push_back(packed_bytes_);
      packed_bytes_ += align_up(phases_.back().packed_bytes());
      scratch_bytes_ = std::max(scratch_bytes_, phases_.back().scratch_bytes());
    }
  }

  [[nodiscard]] std::size_t packed_bytes() const { return packed_bytes_; }
  [[nodiscard]] std::size_t scratch_bytes() const { return scratch_bytes_; }
  void pack(const Arguments& a) const {
    for (std::size_t i = 0; i < phases_.size(); ++i) phases_[i].pack(a.inputs[1].f32(), nullptr, a.packed + packed_[i]);
  }
  void run(const Arguments& a) const {
    for (std::size_t i = 0; i < phases_.size(); ++i)
      phases_[i].run(a.inputs[0].f32(), a.packed + packed_[i], a.scratch, a.outputs[0].f32());
  }

 private:
  std::vector<DenseConvolution> phases_;
  std::vector<std::size_t> packed_;
  std::size_t packed_bytes_ = 0, scratch_bytes_ = 0;
};

std::unique_ptr<Kernel> backward(const Setup& setup, std::string_view name, const graph::Window& window, const Shape& x) {
  const auto dense = std::make_shared<const DenseBackward>(setup, backward_work(window, x, setup.input(0)));
  return make_kernel(
      {setup.kernel_name(name), dense->packed_bytes(), dense->scratch_bytes(), std::nullopt},
      [dense](const Arguments& a) { dense->run(a); }, [dense](const Arguments& a) { dense->pack(a); });
}

}  // namespace

KernelResult prepare_dense(const Setup& setup, const graph::Conv2d& op) {
  return fastest_of(setup, "conv2d", op.window, op.activation, setup.inputs() == 3);
}

KernelResult prepare_dense(const Setup& setup, const graph::Conv2dBackwardInput& op) {
  return backward(setup, "conv2d_backward_input", op.window, op.input);
}

KernelResult prepare_dense(const Setup& setup, const graph::Linear& /*op*/) {
  return fastest_of(setup, "linear", {}, graph::Activation::kNone, true);
}

KernelResult prepare_dense(const Setup& setup, const graph::LinearBackwardInput& /*op*/) {
  return backward(setup, "linear_backward_input", {}, setup.output(0));
}

}  // namespace fovea::cpu
