// Fovea: what the contract of an op is tested on. To add an op: one file with a Suite, and its name in CMakeLists.txt.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace fovea::contract {

/// How an input is filled; always from the case's name, so a case is the same wherever and in whatever order it runs.
enum class Fill : std::uint8_t {
  kNormal,         ///< standard normal
  kShifted,        ///< normal around 16: what a variance computed as a difference of squares loses its digits on
  kPositive,       ///< uniform in [0.25, 4): variances
  kActivated,      ///< what relu6 gives of wide values: some 0, some 6, most between
  kProbabilities,  ///< positive, each row sums to 1
};

struct Input {
  Shape shape;
  Fill fill = Fill::kNormal;
  graph::Role role = graph::Role::kInput;  ///< kParameter for what the kernel may pack, kState for what has no gradient
  bool constant = false;                   ///< an input without a gradient: targets
  DType dtype = DType::kF32;               ///< how it is kept
};

[[nodiscard]] inline Input weight(const Shape& shape) { return {shape, Fill::kNormal, graph::Role::kParameter}; }
[[nodiscard]] inline Input state(const Shape& shape, Fill fill = Fill::kNormal) { return {shape, fill, graph::Role::kState}; }

/// Brings the outputs of a differentiable op together into the one value that is differentiated; may add inputs and nodes.
using Join = std::function<graph::ValueId(graph::Graph&, std::span<const graph::ValueId>)>;
[[nodiscard]] inline graph::ValueId first_output(graph::Graph& /*graph*/, std::span<const graph::ValueId> outputs) {
  return outputs.front();
}

struct Case {
  std::string name;  ///< without ':', '*', '?' and '-', which filters understand otherwise
  graph::Op op;
  std::vector<Input> inputs;
  Join differentiable = nullptr;   ///< set: the gradient is compared with finite differences
  std::vector<Input> states = {};  ///< of UpdateRunningStatistics: what it updates
  DType result = DType::kF32;      ///< how the first output is kept
  DType second = DType::kF32;      ///< and the second
  /// Makes inputs what others ask for, after all are filled.
  std::function<void(std::vector<std::vector<float>>&)> derive = nullptr;
};

/// The cases of one test file: small ones for the tests, real layers for speed. Lists itself.
class Suite {
 public:
  using Cases = std::vector<Case> (*)();
  Suite(std::string_view name, Cases tests, Cases speed);

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] std::vector<Case> test_cases() const { return tests_(); }
  [[nodiscard]] std::vector<Case> speed_cases() const { return speed_(); }
  /// Every suite of the program, by name.
  [[nodiscard]] static std::vector<const Suite*> all();

 private:
  std::string_view name_;
  Cases tests_;
  Cases speed_;
};

/// Channel counts around the widths of vectors: 1 below, at and above 2, 8, 16 and 32.
inline constexpr std::int64_t kChannels[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33};

/// In 16 bits.
inline constexpr DType kShort[] = {DType::kBF16, DType::kF16};
[[nodiscard]] inline std::string_view short_name(DType type) { return type == DType::kF16 ? "fp16" : "bf16"; }

/// The same case with what is no parameter, and the first output, kept so. It has no gradient: what is rounded has no slope.
[[nodiscard]] Case kept_rounded(Case source, DType type);

/// Element `index` of a list that starts anew at its end: lists of coprime lengths walked together meet in every combination.
template <class T, std::size_t kCount>
[[nodiscard]] constexpr const T& cycle(const T (&list)[kCount], std::size_t index) {
  return list[index % kCount];
}

}  // namespace fovea::contract
