// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

void add_all(std::vector<Case>& cases, std::int64_t n, std::int64_t k) {
  const std::string name = fmt::format("n{}_k{}", n, k);
  const Input targets{.shape = {n, k}, .fill = Fill::kProbabilities, .constant = true};
  const Input weights{.shape = {n}, .fill = Fill::kPositive, .constant = true};
  cases.push_back({"Softmax_" + name, graph::Softmax{}, {{{n, k}}}});
  cases.push_back({"SoftmaxCrossEntropy_" + name, graph::SoftmaxCrossEntropy{}, {{{n, k}}, targets, weights}, first_output});
  cases.push_back({"SoftmaxCrossEntropyBackward_" + name,
                   graph::SoftmaxCrossEntropyBackward{},
                   {{{n, k}, Fill::kProbabilities}, targets, weights}});
}

std::vector<Case> tests() {
  constexpr std::int64_t kBatches[] = {1, 2, 5};
  std::vector<Case> cases;
  // One class alone has probability 1 and no gradient, which is no test: from two on.
  for (std::size_t i = 1; i < 11; ++i) add_all(cases, cycle(kBatches, i), cycle(kChannels, i));
  add_all(cases, 3, 1000);
  return cases;
}

std::vector<Case> speed() {
  std::vector<Case> cases;
  add_all(cases, 32, 1000);
  return cases;
}

const Suite kSuite("softmax", tests, speed);

}  // namespace
}  // namespace fovea::contract
