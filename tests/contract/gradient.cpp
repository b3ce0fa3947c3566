// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "contract/modes.h"
#include "graph/autodiff.h"

namespace fovea::contract {
namespace {

using reference::Rounded;

constexpr int kDirections = 2;
// Small enough that the third derivative hardly counts and kinks are hardly ever crossed, large enough for 53 bits.
constexpr double kStep = 0x1p-16;
constexpr double kUnitRoundoff = 0x1p-53;
// A margin wider than this share of the gradient would pass wrong gradients: the case itself is then no good.
constexpr double kWidest = 1e-4;

template <class Real>
using Values = std::vector<std::vector<Real>>;

std::size_t at(graph::ValueId id) { return static_cast<std::size_t>(id); }

double dot(const Doubles& a, const Doubles& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

/// A case as a scalar function: its joined output weighted with a random seed, or its loss.
class Scalar {
 public:
  explicit Scalar(const Case& source) : subject_(source), forward_(subject_.graph) {
    const graph::ValueId joined = source.differentiable(forward_, subject_.outputs);
    forward_.mark_output(kOutput, joined);
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < source.inputs.size(); ++i) {
      if (source.inputs[i].constant || source.inputs[i].role == graph::Role::kState) continue;
      differentiated_.push_back(*forward_.find(input_name(i)));
      if (source.inputs[i].role == graph::Role::kInput) inputs.push_back(input_name(i));
    }
    const auto all = [](std::string_view) { return true; };
    const bool is_loss = std::holds_alternative<graph::SoftmaxCrossEntropy>(source.op) ||
                         std::holds_alternative<graph::SigmoidBinaryCrossEntropy>(source.op);
    auto made =
        is_loss ? graph::differentiate(forward_, all, inputs) : graph::differentiate_from(forward_, kOutput, "seed", all, inputs);
    if (!made) throw std::logic_error(source.name + ": " + made.error().message);
    backward_ = std::move(made).value();
    seed_ = is_loss ? Doubles{1} : widened(filled(source.name + "/seed", forward_.shape(joined).elements(), Fill::kNormal));
    leaves_.resize(backward_.values().size());
    for (std::size_t id = 0; id < leaves_.size(); ++id) leaves_[id] = leaf(source, static_cast<graph::ValueId>(id));
  }

  [[nodiscard]] std::span<const graph::ValueId> differentiated() const { return differentiated_; }
  [[nodiscard]] std::string name(graph::ValueId id) const { return forward_.value(id).name; }

  /// Its value with leaf `id` moved along `direction` by `step`.
  [[nodiscard]] double moved(graph::ValueId id, const Doubles& direction, double step) const {
    Values<double> values = forward_leaves<double>();
    for (std::size_t i = 0; i < direction.size(); ++i) values[at(id)][i] += step * direction[i];
    evaluate(forward_, subject_.state, values);
    return dot(seed_, values[at(*forward_.output(kOutput))]);
  }

  /// How far its value, computed in double, may be off.
  [[nodiscard]] double rounding_error() const {
    Values<Rounded> values = forward_leaves<Rounded>();
    evaluate(forward_, subject_.state, values);
    const auto& output = values[at(*forward_.output(kOutput))];
    Rounded sum;
    for (std::size_t i = 0; i < output.size(); ++i) sum += Rounded(seed_[i]) * output[i];
    return kUnitRoundoff * sum.error;
  }

  /// Its gradient by the backward ops, for every value of differentiated().
  [[nodiscard]] Values<double> gradients() const {
    Values<double> values = leaves_;
    evaluate(backward_, subject_.state, values);
    Values<double> found;
    for (const graph::ValueId id : differentiated_) {
      const auto output = backward_.output(graph::gradient_name(name(id)));
      found.push_back(output ? values[at(*output)] : Doubles{});
    }
    return found;
  }

 private:
  static constexpr const char* kOutput = "loss";

  static Doubles widened(const Floats& values) { return {values.begin(), values.end()}; }

  [[nodiscard]] Doubles leaf(const Case& source, graph::ValueId id) const {
    const graph::Value& value = backward_.value(id);
    if (value.role == graph::Role::kIntermediate) return {};
    if (value.name == "seed") return seed_;
    for (std::size_t i = 0; i < subject_.inputs.size(); ++i) {
      if (value.name == input_name(i)) return widened(subject_.inputs[i]);
    }
    return widened(filled(source.name + "/" + value.name, value.shape.elements(), Fill::kNormal));
  }

  /// Autodiff appends, so the values of the forward graph come first and keep their numbers.
  template <class Real>
  [[nodiscard]] Values<Real> forward_leaves() const {
    Values<Real> values(forward_.values().size());
    for (std::size_t id = 0; id < values.size(); ++id) values[id].assign(leaves_[id].begin(), leaves_[id].end());
    return values;
  }

  Subject subject_;
  graph::Graph forward_;
  graph::Graph backward_;
  std::vector<graph::ValueId> differentiated_;
  Doubles seed_;
  Values<double> leaves_;
};

}  // namespace

void expect_gradient_of_finite_differences(const Case& source) {
  const Scalar scalar(source);
  const auto gradients = scalar.gradients();
  const double rounding = scalar.rounding_error();
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const graph::ValueId id = scalar.differentiated()[i];
    SCOPED_TRACE(scalar.name(id));
    ASSERT_FALSE(gradients[i].empty()) << "has no gradient";
    const double length = std::sqrt(dot(gradients[i], gradients[i]));
    ASSERT_GT(length, 0);
    for (int n = 0; n < kDirections; ++n) {
      const auto drawn = filled(fmt::format("{}/direction{}/{}", source.name, n, i), std::ssize(gradients[i]), Fill::kNormal);
      const Doubles direction(drawn.begin(), drawn.end());
      const auto difference = [&](double step) {
        return (scalar.moved(id, direction, step) - scalar.moved(id, direction, -step)) / (2 * step);
      };
      const double near = difference(kStep);
      // The truncation error grows with the square of the step: that of `near` is a third of what doubling the step changes.
      const double margin = std::abs(difference(2 * kStep) - near) + 4 * rounding / kStep;
      EXPECT_LE(margin, kWidest * length) << "the margin of this case proves nothing";
      EXPECT_NEAR(dot(gradients[i], direction), near, margin) << "in direction " << n;
    }
  }
}

}  // namespace fovea::contract
