// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

Case of_shape(const Shape& shape) {
  return {fmt::format("Add_{}", to_string(shape)), graph::Add{}, {{shape}, {shape}}, first_output};
}

/// Terms of unlike size: the sum of like ones would often lie halfway between two rounded numbers, where any answer is right.
Case rounded(const Shape& shape, DType type) {
  Case made = kept_rounded(of_shape(shape), type);
  made.inputs[1].fill = Fill::kShifted;
  return made;
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  for (const Shape& shape : {Shape{1}, Shape{31}, Shape{2, 33}, Shape{1, 5, 7, 3}, Shape{2, 4, 4, 17}})
    for (const Case& made : {of_shape(shape), rounded(shape, DType::kBF16), rounded(shape, DType::kF16)}) cases.push_back(made);
  return cases;
}

std::vector<Case> speed() { return {of_shape({8, 56, 56, 24}), rounded({8, 56, 56, 24}, DType::kBF16)}; }

const Suite kSuite("add", tests, speed);

}  // namespace
}  // namespace fovea::contract
