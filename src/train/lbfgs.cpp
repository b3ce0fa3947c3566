// SPDX-License-Identifier: Apache-2.0
#include "train/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <vector>

#include "train/vector_math.h"

namespace fovea::training {
namespace {

using Vector = std::vector<float>;

struct Pair {
  Vector step;
  Vector change;       // of the gradient
  double product = 0;  // step . change, positive
};

struct Point {
  Vector x;
  Vector gradient;
  double value = 0;
};

/// -H gradient by the two-loop recursion; H starts from the preconditioner, scaled to the latest pair.
Vector direction_of(const Context& context, const LbfgsProblem& problem, const std::deque<Pair>& pairs, const Vector& gradient,
                    double scale) {
  Vector result = gradient;
  std::vector<double> alphas(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    alphas[i] = dot(context, pairs[i].step, result) / pairs[i].product;
    add_scaled(context, static_cast<float>(-alphas[i]), pairs[i].change, result);
  }
  if (problem.precondition) problem.precondition(result);
  for (float& value : result) value *= static_cast<float>(-scale);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double beta = dot(context, pairs[i].change, result) / pairs[i].product;
    add_scaled(context, static_cast<float>(-alphas[i] - beta), pairs[i].step, result);
  }
  return result;
}

/// Scale of the preconditioner that makes it right along the latest step.
double scale_of(const Context& context, const LbfgsProblem& problem, const Pair& latest) {
  Vector image = latest.change;
  if (problem.precondition) problem.precondition(image);
  return latest.product / dot(context, latest.change, image);
}

/// A shorter step, where that of `step` made the value worse by `rise`: the least of the parabola through both values with the
/// slope at the first, held to between a tenth and a half of the step.
double shorter(double step, double slope, double rise) {
  const double least = -slope * step * step / (2 * (rise - slope * step));
  return std::isfinite(least) ? std::clamp(least, 0.1 * step, 0.5 * step) : 0.5 * step;
}

/// Goes along `direction` until the function has come down enough. False when no step does that.
bool search(const Context& context, const LbfgsProblem& problem, const Point& from, const Vector& direction, double first_step,
            Point& to, int& evaluations) {
  constexpr double kSufficient = 1e-4;
  constexpr double kSlope = 0.1;
  constexpr double kNoise = 1e-7;  // relative rounding error of a value
  const double slope = dot(context, from.gradient, direction);
  if (!(slope < 0)) return false;
  double step = first_step;
  for (int attempt = 0; attempt < 25; ++attempt, step = shorter(step, slope, to.value - from.value)) {
    to.x = from.x;
    add_scaled(context, static_cast<float>(step), direction, to.x);
    to.value = problem.evaluate(to.x, to.gradient);
    ++evaluations;
    if (to.value <= from.value + kSufficient * step * slope) return true;
    const bool level = std::abs(to.value - from.value) <= kNoise * std::abs(from.value);
    if (level && dot(context, to.gradient, direction) <= (2 * kSlope - 1) * slope) return true;
  }
  return false;
}

/// The pair between two points, or one without curvature (product 0) that is of no use.
Pair pair_of(const Context& context, const Point& from, const Point& to) {
  Pair pair{to.x, to.gradient};
  add_scaled(context, -1.0F, from.x, pair.step);
  add_scaled(context, -1.0F, from.gradient, pair.change);
  const double product = dot(context, pair.step, pair.change);
  const double change = dot(context, pair.change, pair.change);
  pair.product = product > 1e-10 * change ? product : 0;
  return pair;
}

/// The best point so far: of those whose values differ by no more than the rounding of floats the one of the least gradient.
class Best {
 public:
  void update(const Point& point, double gradient_norm, int iteration) {
    constexpr double kRounding = 1e-6;  // relative, of a value
    const double level = kRounding * std::abs(value_);
    const bool lower = point.value < value_ - level;
    if (!lower && !(point.value <= value_ + level && gradient_norm < gradient_norm_)) return;
    x_ = point.x;
    value_ = point.value;
    gradient_norm_ = gradient_norm;
    iteration_ = iteration;
  }

  /// Floats can do no better: points only wander around the minimum.
  [[nodiscard]] bool is_old(int iteration) const {
    constexpr int kPatience = 10;
    return iteration - iteration_ >= kPatience;
  }

  [[nodiscard]] const Vector& x() const { return x_; }
  [[nodiscard]] double value() const { return value_; }
  [[nodiscard]] double gradient_norm() const { return gradient_norm_; }

 private:
  Vector x_;
  double value_ = std::numeric_limits<double>::max();
  double gradient_norm_ = 0;
  int iteration_ = 0;
};

}  // namespace

LbfgsResult minimize(const Context& context, const LbfgsProblem& problem, const LbfgsOptions& options, std::span<float> x) {
  LbfgsResult result;
  Point now{Vector(x.begin(), x.end()), Vector(x.size()), 0};
  Point next = now;
  now.value = problem.evaluate(now.x, now.gradient);
  result.evaluations = 1;
  std::deque<Pair> pairs;
  Best best;
  double scale = 1;
  for (;;) {
    const double gradient_norm = std::sqrt(dot(context, now.gradient, now.gradient));
    best.update(now, gradient_norm, result.iterations);
    result.converged = gradient_norm <= options.gradient_tolerance;
    if (result.converged || best.is_old(result.iterations) || result.iterations == options.max_iterations ||
        context.stop_requested()) {
      break;
    }
    const Vector direction = direction_of(context, problem, pairs, now.gradient, scale);
    // Without a preconditioner the very first step has no scale: it is kept to length one.
    const double first = pairs.empty() && !problem.precondition ? std::min(1.0, 1 / gradient_norm) : 1.0;
    if (!search(context, problem, now, direction, first, next, result.evaluations)) {
      if (pairs.empty()) break;
      pairs.clear();  // the history no longer describes the surroundings: start from the gradient again
      continue;
    }
    Pair pair = pair_of(context, now, next);
    if (pair.product > 0) {
      scale = scale_of(context, problem, pair);
      pairs.push_back(std::move(pair));
      if (pairs.size() > static_cast<std::size_t>(options.history)) pairs.pop_front();
    }
    std::swap(now, next);
    ++result.iterations;
  }
  std::ranges::copy(best.x(), x.begin());
  result.value = best.value();
  result.gradient_norm = best.gradient_norm();
  return result;
}

}  // namespace fovea::training
