// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

Case of_shape(const Shape& shape) {
  return {fmt::format("Add_{}", to_string(shape)), graph::Add{}, {{shape}, {shape}}, first_output};
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  for (const Shape& shape : {Shape{1}, Shape{31}, Shape{2, 33}, Shape{1, 5, 7, 3}, Shape{2, 4, 4, 17}})
    cases.push_back(of_shape(shape));
  return cases;
}

std::vector<Case> speed() { return {of_shape({8, 56, 56, 24})}; }

const Suite suite("add", tests, speed);

}  // namespace
}  // namespace fovea::contract
