// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/parallel.h"
#include "train/vector_math.h"

namespace fovea::training {
namespace {

constexpr std::int64_t kGrain = 16384;  // elements for which waking a thread pays

}  // namespace

std::vector<Span> trainable_spans(const ParameterSet& parameters, const std::function<bool(std::string_view)>& trainable) {
  std::vector<Span> spans;
  for (const ParameterSet::Entry& entry : parameters.entries()) {
    if (entry.role != graph::Role::kParameter || !trainable(entry.name)) continue;
    spans.push_back({entry.offset, entry.size(), entry.shape.rank() > 1});
  }
  return spans;
}

/// `count` elements of every buffer.
struct Optimizer::Slice {
  float* parameters;
  const float* gradients;
  float* first;
  float* second;
  std::int64_t count;
  bool decay;
};

Optimizer::Optimizer(const OptimizerOptions& options, std::vector<Span> spans, std::size_t size)
    : options_(options), spans_(std::move(spans)), first_(size * sizeof(float)) {
  if (options_.kind == OptimizerOptions::Kind::kAdamW) second_ = Buffer(size * sizeof(float));
}

void Optimizer::step(const Context& context, std::span<float> parameters, std::span<const float> gradients, double lr,
                     double gradient_scale) {
  assert(parameters.size() == gradients.size() && first_.floats().size() >= parameters.size());
  ++steps_;
  for (const Span& span : spans_) {
    parallel_ranges(context, static_cast<std::int64_t>(span.size), kGrain, [&](Range range) {
      const std::size_t offset = span.offset + static_cast<std::size_t>(range.begin);
      Slice slice{parameters.data() + offset,
                  gradients.data() + offset,
                  first_.floats().data() + offset,
                  nullptr,
                  range.size(),
                  span.decay};
      if (options_.kind == OptimizerOptions::Kind::kSgd) return sgd(slice, lr, static_cast<float>(gradient_scale));
      slice.second = second_.floats().data() + offset;
      adamw(slice, lr, static_cast<float>(gradient_scale));
    });
  }
}

void Optimizer::adamw(const Slice& slice, double lr, float gradient_scale) const {
  const double t = static_cast<double>(steps_);
  const auto keep = static_cast<float>(1 - lr * (slice.decay ? options_.weight_decay : 0));
  const auto rate = static_cast<float>(lr / (1 - std::pow(options_.beta1, t)));
  const auto correction = static_cast<float>(std::sqrt(1 - std::pow(options_.beta2, t)));
  const auto toward = static_cast<float>(1 - options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto toward2 = static_cast<float>(1 - options_.beta2);
  const auto eps = static_cast<float>(options_.eps);
  float* __restrict parameters = slice.parameters;
  float* __restrict first = slice.first;
  float* __restrict second = slice.second;
  for (std::int64_t i = 0; i < slice.count; ++i) {
    const float g = slice.gradients[i] * gradient_scale;
    const float m = first[i] + toward * (g - first[i]);
    const float v = beta2 * second[i] + toward2 * g * g;
    first[i] = m;
    second[i] = v;
    parameters[i] = keep * parameters[i] - rate * (m / (std::sqrt(v) / correction + eps));
  }
}

void Optimizer::sgd(const Slice& slice, double lr, float gradient_scale) const {
  const auto decay = static_cast<float>(slice.decay ? options_.weight_decay : 0);
  const auto momentum = static_cast<float>(options_.momentum);
  const auto rate = static_cast<float>(lr);
  // The step is g + momentum v with Nesterov, v without.
  const float of_gradient = options_.nesterov ? 1.0F : 0.0F;
  const float of_velocity = options_.nesterov ? momentum : 1.0F;
  float* __restrict parameters = slice.parameters;
  float* __restrict velocity = slice.first;
  for (std::int64_t i = 0; i < slice.count; ++i) {
    const float g = slice.gradients[i] * gradient_scale + decay * parameters[i];
    const float v = momentum * velocity[i] + g;
    velocity[i] = v;
    parameters[i] -= rate * (of_gradient * g + of_velocity * v);
  }
}

double gradient_norm(const Context& context, std::span<const float> gradients, std::span<const Span> spans) {
  double squares = 0;
  for (const Span& span : spans) {
    const auto part = gradients.subspan(span.offset, span.size);
    squares += dot(context, part, part);
  }
  return std::sqrt(squares);
}

double clip_scale(double norm, double limit) { return limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0; }

double average_toward(double decay, std::int64_t step) {
  const auto t = static_cast<double>(step);
  return 1 - std::min(decay, (1 + t) / (10 + t));
}

void update_average(const Context& context, double decay, std::int64_t step, std::span<const float> values,
                    std::span<float> average) {
  assert(values.size() == average.size());
  const auto toward = static_cast<float>(average_toward(decay, step));
  parallel_ranges(context, static_cast<std::int64_t>(values.size()), kGrain, [&](Range range) {
    const float* source = values.data();
    float* target = average.data();
    for (std::int64_t i = range.begin; i < range.end; ++i) target[i] += toward * (source[i] - target[i]);
  });
}

}  // namespace fovea::training
