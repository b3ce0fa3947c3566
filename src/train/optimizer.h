// Fovea: parameters moved against their gradient: one pass over flat buffers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "core/buffer.h"
#include "core/context.h"
#include "runtime/parameters.h"

namespace fovea::training {

struct OptimizerOptions {
  enum class Kind : std::uint8_t { kAdamW, kSgd };
  Kind kind = Kind::kAdamW;
  double weight_decay = 0.01;
  double beta1 = 0.9;  ///< AdamW
  double beta2 = 0.999;
  double eps = 1e-8;
  double momentum = 0.9;  ///< SGD
  bool nesterov = false;
};

/// A stretch of the flat buffers that is trained.
struct Span {
  std::size_t offset = 0;
  std::size_t size = 0;
  bool decay = false;
};

/// The parameters for which `trainable` holds. Matrices and convolutions decay; vectors (biases, BatchNorm) do not.
[[nodiscard]] std::vector<Span> trainable_spans(const ParameterSet& parameters,
                                                const std::function<bool(std::string_view)>& trainable);

/// AdamW (I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR 2019) or SGD with momentum, both by the
/// formulas of PyTorch's torch.optim, so that runs can be compared step by step. Each element is computed by itself: the bits do
/// not depend on threads.
class Optimizer {
 public:
  /// `size`: floats of the buffers that step() will be given.
  Optimizer(const OptimizerOptions& options, std::vector<Span> spans, std::size_t size);

  /// One step of rate `lr` with the gradients times `gradient_scale` (of clipping).
  void step(const Context& context, std::span<float> parameters, std::span<const float> gradients, double lr,
            double gradient_scale = 1.0);

  [[nodiscard]] std::int64_t steps() const { return steps_; }
  /// The moments, to be saved and put back together with steps(); the second is empty for SGD.
  [[nodiscard]] std::span<float> first_moments() { return first_.floats(); }
  [[nodiscard]] std::span<float> second_moments() { return second_.floats(); }
  void set_steps(std::int64_t steps) { steps_ = steps; }
  [[nodiscard]] std::size_t bytes() const { return first_.size() + second_.size(); }
  [[nodiscard]] std::span<const Span> spans() const { return spans_; }

 private:
  struct Slice;
  void adamw(const Slice& slice, double lr, float gradient_scale) const;
  void sgd(const Slice& slice, double lr, float gradient_scale) const;

  OptimizerOptions options_;
  std::vector<Span> spans_;
  Buffer first_;   // mean of gradients; SGD's momentum
  Buffer second_;  // mean of squared gradients; AdamW only
  std::int64_t steps_ = 0;
};

/// Euclidean norm of the gradients in `spans`.
[[nodiscard]] double gradient_norm(const Context& context, std::span<const float> gradients, std::span<const Span> spans);

/// What to multiply gradients with so that their norm is at most `limit`; 1 if limit is 0. PyTorch's clip_grad_norm_.
[[nodiscard]] double clip_scale(double norm, double limit);

/// 1 less the decay of update_average() at this step.
[[nodiscard]] double average_toward(double decay, std::int64_t step);

/// average = decay average + (1 - decay) values, with the decay warmed up: min(decay, (1 + step) / (10 + step)), so that the
/// start does not weigh in for long (as TensorFlow's ExponentialMovingAverage does). `step` counts from 0.
void update_average(const Context& context, double decay, std::int64_t step, std::span<const float> values,
                    std::span<float> average);

}  // namespace fovea::training
