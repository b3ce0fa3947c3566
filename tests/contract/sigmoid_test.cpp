// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

void add_all(std::vector<Case>& cases, std::int64_t n, std::int64_t k) {
  const std::string name = fmt::format("n{}_k{}", n, k);
  const Input targets{.shape = {n, k}, .fill = Fill::kProbabilities, .constant = true};
  const Input weights{.shape = {n}, .fill = Fill::kPositive, .constant = true};
  cases.push_back(
      {"SigmoidBinaryCrossEntropy_" + name, graph::SigmoidBinaryCrossEntropy{}, {{{n, k}}, targets, weights}, first_output});
  // Logits far from 0, where one of the two logarithms vanishes. (A single class has target 1, and there no gradient.)
  if (k > 1)
    cases.push_back({"SigmoidBinaryCrossEntropy_sure_" + name,
                     graph::SigmoidBinaryCrossEntropy{},
                     {{{n, k}, Fill::kShifted}, targets, weights},
                     first_output});
  cases.push_back({"SigmoidBinaryCrossEntropyBackward_" + name,
                   graph::SigmoidBinaryCrossEntropyBackward{},
                   {{{n, k}, Fill::kProbabilities}, targets, weights}});
}

std::vector<Case> tests() {
  constexpr std::int64_t kBatches[] = {1, 2, 5};
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 11; ++i) add_all(cases, cycle(kBatches, i), cycle(kChannels, i));
  add_all(cases, 3, 1000);
  return cases;
}

std::vector<Case> speed() {
  std::vector<Case> cases;
  add_all(cases, 32, 1000);
  return cases;
}

const Suite kSuite("sigmoid", tests, speed);

}  // namespace
}  // namespace fovea::contract
