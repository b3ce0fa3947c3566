// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

void add_all(std::vector<Case>& cases, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
  const std::string name = fmt::format("n{}_{}x{}_c{}", n, h, w, c);
  cases.push_back({"GlobalAveragePool_" + name, graph::GlobalAveragePool{}, {{{n, h, w, c}}}, first_output});
  cases.push_back({"GlobalAveragePoolBackward_" + name, graph::GlobalAveragePoolBackward{h, w}, {{{n, c}}}});
}

std::vector<Case> tests() {
  constexpr std::int64_t kSizes[][3] = {{1, 1, 1}, {2, 7, 7}, {5, 3, 4}, {1, 13, 2}, {2, 1, 6}};
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 11; ++i) {
    const auto& [n, h, w] = cycle(kSizes, i);
    add_all(cases, n, h, w, cycle(kChannels, i));
  }
  return cases;
}

std::vector<Case> speed() {
  std::vector<Case> cases;
  add_all(cases, 32, 7, 7, 1280);
  return cases;
}

const Suite kSuite("pool", tests, speed);

}  // namespace
}  // namespace fovea::contract
