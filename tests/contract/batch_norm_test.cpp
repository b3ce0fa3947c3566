// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

using graph::Activation;

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kSilu};

Case with_stored_statistics(const Shape& shape) {
  const Shape c{shape.back()};
  return {fmt::format("BatchNorm_{}", to_string(shape)),
          graph::BatchNorm{1e-3F},
          {{shape}, weight(c), weight(c), state(c), state(c, Fill::kPositive)}};
}

Case train(const Shape& shape, Activation activation, float eps) {
  const Shape c{shape.back()};
  return {fmt::format("BatchNormTrain_{}_{}", to_string(shape), name_of(activation)),
          graph::BatchNormTrain{eps, activation},
          {{shape}, weight(c), weight(c)},
          first_output};
}

Case backward(const Shape& shape, Activation activation, float eps) {
  const Shape c{shape.back()};
  return {fmt::format("BatchNormTrainBackward_{}_{}", to_string(shape), name_of(activation)),
          graph::BatchNormTrainBackward{eps, activation},
          {{shape}, weight(c), weight(c), {c}, {c, Fill::kPositive}, {shape}}};
}

Case update(std::int64_t c, float momentum, std::int64_t count) {
  return {.name = fmt::format("UpdateRunningStatistics_c{}_count{}", c, count),
          .op = graph::UpdateRunningStatistics{momentum, count},
          .inputs = {{{c}}, {{c}, Fill::kPositive}},
          .states = {state({c}), state({c}, Fill::kPositive)}};
}

void add_all(std::vector<Case>& cases, const Shape& shape, Activation activation, float eps) {
  cases.push_back(with_stored_statistics(shape));
  cases.push_back(train(shape, activation, eps));
  cases.push_back(backward(shape, activation, eps));
  for (const DType type : kShort) {
    for (Case kept : {train(shape, activation, eps), backward(shape, activation, eps)}) {
      kept.name += fmt::format("_kept_{}", short_name(type));
      kept.differentiable = nullptr;
      kept.result = kept.inputs[0].dtype = type;
      if (kept.inputs.size() > 5) kept.inputs[5].dtype = type;
      cases.push_back(kept);
    }
  }
}

std::vector<Case> tests() {
  constexpr std::int64_t kSizes[][3] = {{2, 3, 3}, {1, 5, 7}, {5, 4, 4}, {1, 1, 3}, {2, 8, 9}};
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 11; ++i) {
    const auto& [n, h, w] = cycle(kSizes, i);
    const std::int64_t c = cycle(kChannels, i);
    add_all(cases, {n, h, w, c}, cycle(kActivations, i), i % 2 == 0 ? 1e-5F : 1e-3F);
    cases.push_back(update(c, i % 2 == 0 ? 0.1F : 0.01F, n * h * w));
  }
  add_all(cases, {16, 9}, Activation::kNone, 1e-5F);
  Case shifted = train({2, 5, 7, 33}, Activation::kNone, 1e-5F);
  shifted.name += "_shifted";
  shifted.inputs[0].fill = Fill::kShifted;
  cases.push_back(shifted);
  return cases;
}

std::vector<Case> speed() {
  std::vector<Case> cases;
  add_all(cases, {8, 112, 112, 96}, Activation::kRelu6, 1e-5F);
  add_all(cases, {8, 14, 14, 384}, Activation::kRelu6, 1e-5F);
  return cases;
}

const Suite kSuite("batch_norm", tests, speed);

}  // namespace
}  // namespace fovea::contract
