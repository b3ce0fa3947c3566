// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

Case concat(std::int64_t n, std::int64_t size, std::initializer_list<std::int64_t> channels) {
  Case made{fmt::format("Concat_n{}_{}x{}", n, size, size), graph::Concat{}, {}, first_output};
  for (const std::int64_t c : channels) {
    made.name += fmt::format("_{}", c);
    made.inputs.push_back({{n, size, size, c}});
  }
  return made;
}

Case slice(const Shape& shape, std::int64_t begin, std::int64_t count) {
  return {fmt::format("SliceChannels_{}_from{}_count{}", to_string(shape), begin, count),
          graph::SliceChannels{begin, count},
          {{shape}},
          first_output};
}

Case pad(const Shape& shape, std::int64_t begin, std::int64_t total) {
  return {fmt::format("PadChannels_{}_from{}_total{}", to_string(shape), begin, total),
          graph::PadChannels{begin, total},
          {{shape}},
          first_output};
}

std::vector<Case> with_rounded(std::vector<Case> cases) {
  for (std::size_t i = 0, count = cases.size(); i < count; ++i) {
    for (const DType type : kShort) cases.push_back(kept_rounded(cases[i], type));
  }
  return cases;
}

std::vector<Case> tests() {
  return with_rounded({concat(1, 3, {5}), concat(2, 3, {1, 2}), concat(1, 5, {16, 16, 16}), concat(2, 1, {7, 33, 1, 8}),
                       slice({2, 3, 3, 17}, 0, 17), slice({2, 3, 5, 17}, 0, 8), slice({1, 4, 3, 33}, 31, 2),
                       slice({2, 2, 2, 9}, 3, 5), slice({5, 16}, 8, 8), pad({2, 3, 3, 8}, 0, 17), pad({1, 3, 5, 7}, 2, 9),
                       pad({2, 2, 2, 16}, 16, 32), pad({1, 2, 3, 3}, 0, 3), pad({3, 1}, 1, 31), concat(2, 3, {8, 32, 64})});
}

std::vector<Case> speed() {
  return with_rounded({concat(8, 28, {64, 64, 64}), slice({8, 28, 28, 128}, 64, 64), pad({8, 28, 28, 64}, 64, 128)});
}

const Suite kSuite("concat", tests, speed);

}  // namespace
}  // namespace fovea::contract
