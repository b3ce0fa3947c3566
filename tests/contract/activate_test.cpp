// SPDX-License-Identifier: Apache-2.0
#include "contract/case.h"

namespace fovea::contract {
namespace {

using graph::Activation;

std::vector<Case> of_shape(const Shape& shape, Activation activation) {
  const std::string name = fmt::format("{}_{}", to_string(shape), name_of(activation));
  // The derivative of silu is told from its input, the others' from their output.
  const Fill saved = activation == Activation::kSilu ? Fill::kNormal : Fill::kActivated;
  return {{"Activate_" + name, graph::Activate{activation}, {{shape}}, first_output},
          {"ActivateBackward_" + name, graph::ActivateBackward{activation}, {{shape, saved}, {shape}}}};
}

/// Silu and its derivative from one exponential, and the derivative used.
std::vector<Case> with_slope(const Shape& shape) {
  const std::string name = to_string(shape) + "_silu";
  Case forward{"Activate_" + name + "_keeps_slope", graph::Activate{graph::Activation::kSilu, true}, {{shape}}, first_output};
  Case rounded = kept_rounded(forward, DType::kBF16);
  rounded.second = DType::kBF16;
  const Case backward{
      "ActivateBackward_" + name + "_by_slope", graph::ActivateBackward{graph::Activation::kSilu, true}, {{shape}, {shape}}};
  return {std::move(forward), std::move(rounded), kept_rounded(backward, DType::kBF16), backward};
}

std::vector<Case> over(std::span<const Shape> shapes) {
  std::vector<Case> cases;
  for (const Shape& shape : shapes) {
    for (Case& made : with_slope(shape)) cases.push_back(std::move(made));
    for (const Activation activation : {Activation::kRelu, Activation::kRelu6, Activation::kSilu}) {
      for (Case& made : of_shape(shape, activation)) {
        for (const DType type : kShort) cases.push_back(kept_rounded(made, type));
        cases.push_back(std::move(made));
      }
    }
  }
  return cases;
}

std::vector<Case> tests() {
  std::vector<Shape> shapes{{1}, {5}, {17}, {2, 33}, {1, 5, 7, 9}, {2, 4, 5, 8}, {3, 8, 8, 16}};
  return over(shapes);
}

std::vector<Case> speed() {
  const Shape shapes[] = {{8, 112, 112, 96}};
  return over(shapes);
}

const Suite kSuite("activate", tests, speed);

}  // namespace
}  // namespace fovea::contract
