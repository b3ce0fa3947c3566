// SPDX-License-Identifier: Apache-2.0
#include "train/head_regression.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "core/parallel.h"
#include "train/logistic_regression.h"
#include "train/matrix_product.h"
#include "train/softmax_regression.h"
#include "train/vector_math.h"

namespace fovea::training {
namespace {

/// Rows of so many numbers for which waking a thread pays.
constexpr std::int64_t row_grain(std::int64_t width) { return 1 + 32768 / width; }

double scale_of(const Context& context, const FeatureSet& set) {
  const double squares = dot(context, set.features, set.features) / static_cast<double>(set.rows());
  return squares > 0 ? std::sqrt(squares) : 1;
}

std::vector<float> augmented(const Context& context, const FeatureSet& set, double scale) {
  std::vector<float> result(static_cast<std::size_t>(set.rows() * (set.width + 1)));
  parallel_ranges(context, set.rows(), row_grain(set.width), [&](Range range) {
    for (std::int64_t n = range.begin; n < range.end; ++n) {
      const float* source = set.features.data() + n * set.width;
      float* target = result.data() + n * (set.width + 1);
      for (std::int64_t d = 0; d < set.width; ++d) target[d] = static_cast<float>(source[d] / scale);
      target[set.width] = 1;
    }
  });
  return result;
}

std::vector<float> transposed(const Context& context, const std::vector<float>& matrix, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kTile = 32;  // so that both sides stay in the nearest cache
  std::vector<float> result(matrix.size());
  parallel_ranges(context, (columns + kTile - 1) / kTile, 1, [&](Range range) {
    const std::int64_t end = std::min(columns, range.end * kTile);
    for (std::int64_t row = 0; row < rows; row += kTile) {
      for (std::int64_t c = range.begin * kTile; c < end; ++c) {
        for (std::int64_t r = row; r < std::min(rows, row + kTile); ++r) {
          result[static_cast<std::size_t>(c * rows + r)] = matrix[static_cast<std::size_t>(r * columns + c)];
        }
      }
    }
  });
  return result;
}

}  // namespace

std::unique_ptr<HeadRegression> make_regression(const Context& context, const FeatureSet& set) {
  if (set.targets.empty()) return std::make_unique<SoftmaxRegression>(context, set);
  return std::make_unique<LogisticRegression>(context, set);
}

HeadRegression::HeadRegression(const Context& context, const FeatureSet& set, double curvature)
    : context_(context),
      rows_(set.rows()),
      width_(set.width),
      classes_(set.classes),
      columns_(padded_columns(set.classes)),
      curvature_(curvature),
      scale_(scale_of(context, set)),
      features_(augmented(context, set, scale_)),
      features_transposed_(transposed(context, features_, rows_, width_ + 1)),
      preconditioner_(context, features_, rows_, width_ + 1) {
  assert(set.features.size() == set.labels.size() * static_cast<std::size_t>(set.width));
}

void HeadRegression::padded_logits(std::span<const float> weights, std::vector<float>& out) const {
  out.resize(static_cast<std::size_t>(rows_ * columns_));
  multiply(context_, {rows_, columns_, width_ + 1}, features_, weights, out);
}

std::vector<float> HeadRegression::logits(const Weights& weights) const {
  std::vector<float> padded;
  padded_logits(weights, padded);
  std::vector<float> result;
  for (std::int64_t n = 0; n < rows_; ++n) {
    const auto row = padded.begin() + n * columns_;
    result.insert(result.end(), row, row + classes_);
  }
  return result;
}

double HeadRegression::evaluate(std::span<const float> row_weights, double strength, std::span<const float> weights,
                                std::span<float> gradient) const {
  const double total = std::accumulate(row_weights.begin(), row_weights.end(), 0.0);
  std::vector<float> residuals;
  padded_logits(weights, residuals);
  std::vector<double> losses(static_cast<std::size_t>(rows_));
  parallel_ranges(context_, rows_, row_grain(columns_), [&](Range range) {
    for (std::int64_t n = range.begin; n < range.end; ++n) {
      float* row = residuals.data() + n * columns_;
      std::fill(row + classes_, row + columns_, 0.0F);
      const double weight = row_weights[static_cast<std::size_t>(n)] / total;
      losses[static_cast<std::size_t>(n)] =
          residual_of_row({row, static_cast<std::size_t>(classes_)}, static_cast<std::size_t>(n), weight);
    }
  });
  multiply(context_, {width_ + 1, columns_, rows_}, features_transposed_, residuals, gradient);
  const auto penalised = static_cast<std::size_t>(width_ * columns_);
  add_scaled(context_, static_cast<float>(strength), weights.first(penalised), gradient.first(penalised));
  const double penalty = dot(context_, weights.first(penalised), weights.first(penalised));
  return std::accumulate(losses.begin(), losses.end(), 0.0) + 0.5 * strength * penalty;
}

LbfgsResult HeadRegression::solve(std::span<const float> row_weights, double strength, const LbfgsOptions& options,
                                  Weights& weights) const {
  assert(strength > 0 && weights.size() == zero().size());
  LbfgsProblem problem;
  problem.evaluate = [&](std::span<const float> x, std::span<float> gradient) {
    return evaluate(row_weights, strength, x, gradient);
  };
  problem.precondition = [&](std::span<float> vector) {
    preconditioner_.apply(context_, curvature_, strength, columns_, vector);
  };
  return minimize(context_, problem, options, weights);
}

HeadRegression::Score HeadRegression::score(std::span<const float> row_weights, const Weights& weights) const {
  std::vector<float> rows;
  padded_logits(weights, rows);
  Score score;
  double total = 0;
  double squares = 0;
  for (std::int64_t n = 0; n < rows_; ++n) {
    const double weight = row_weights[static_cast<std::size_t>(n)];
    if (weight <= 0) continue;
    const std::span<float> row(rows.data() + n * columns_, static_cast<std::size_t>(classes_));
    total += weight;
    score.accuracy += weight * right_of_row(row, static_cast<std::size_t>(n));
    const double loss = residual_of_row(row, static_cast<std::size_t>(n), 1);
    score.loss += weight * loss;
    squares += weight * loss * loss;
  }
  if (total <= 0) return score;
  score = {score.loss / total, score.accuracy / total, squares / total};
  score.loss_variance = std::max(0.0, score.loss_variance - score.loss * score.loss);
  return score;
}

LinearHead HeadRegression::head(const Weights& weights) const {
  LinearHead head{std::vector<float>(static_cast<std::size_t>(classes_ * width_)),
                  std::vector<float>(static_cast<std::size_t>(classes_))};
  for (std::int64_t k = 0; k < classes_; ++k) {
    for (std::int64_t d = 0; d < width_; ++d) {
      head.weight[static_cast<std::size_t>(k * width_ + d)] =
          static_cast<float>(weights[static_cast<std::size_t>(d * columns_ + k)] / scale_);
    }
    head.bias[static_cast<std::size_t>(k)] = weights[static_cast<std::size_t>(width_ * columns_ + k)];
  }
  return head;
}

}  // namespace fovea::training
