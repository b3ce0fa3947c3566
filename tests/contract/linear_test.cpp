// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

void add_all(std::vector<Case>& cases, std::int64_t n, std::int64_t c, std::int64_t k) {
  const std::string name = fmt::format("n{}_c{}_k{}", n, c, k);
  cases.push_back({"Linear_" + name, graph::Linear{}, {{{n, c}}, weight({k, c}), weight({k})}, first_output});
  cases.push_back({"LinearBackwardInput_" + name, graph::LinearBackwardInput{}, {{{n, k}}, weight({k, c})}});
  cases.push_back({"LinearBackwardWeight_" + name, graph::LinearBackwardWeight{}, {{{n, c}}, {{n, k}}}});
}

std::vector<Case> tests() {
  constexpr std::int64_t kBatches[] = {1, 2, 5, 32};
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 11; ++i)
    add_all(cases, cycle(kBatches, i), cycle(kChannels, 4 * i + 1), cycle(kChannels, 9 * i + 6));
  add_all(cases, 3, 1280, 3);
  return cases;
}

std::vector<Case> speed() {
  std::vector<Case> cases;
  add_all(cases, 32, 1280, 1000);
  add_all(cases, 32, 1280, 3);
  return cases;
}

const Suite kSuite("linear", tests, speed);

}  // namespace
}  // namespace fovea::contract
