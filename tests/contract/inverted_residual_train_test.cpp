// SPDX-License-Identifier: Apache-2.0
#include "contract/subject.h"
#include "contract/windows.h"
#include "graph/passes.h"

namespace fovea::contract {
namespace {

using graph::Activation;
using graph::InvertedResidualTrain;

/// Channels: of x, between, of y. More than one of x: a weight that stands alone is divided out by the statistics after it.
struct Channels {
  std::int64_t x, inner, y;
};
constexpr Channels kBlocks[] = {{3, 7, 5}, {8, 16, 8}, {4, 33, 9}, {6, 31, 17}, {5, 18, 24}, {2, 1, 1}, {2, 50, 3}};
constexpr Activation kTrained[] = {Activation::kRelu6, Activation::kRelu, Activation::kNone};
constexpr float kEps[] = {1e-3F, 1e-5F};

/// Enough positions that each channel has a variance worth the name, and its gradient does not vanish.
const Geometry kWindows[] = {
    {2, 4, 4, window_of(3, 1, pad_all(1))}, {1, 9, 6, window_of(3, 2, {0, 0, 1, 1})}, {5, 4, 5, window_of(3, 1, {})},
    {2, 7, 7, window_of(3, 2, pad_all(1))}, {1, 8, 5, window_of(5, 1, pad_all(2))},   {2, 6, 9, window_of(5, 2, {1, 1, 2, 2})},
    {9, 2, 2, window_of(5, 1, pad_all(2))}, {2, 7, 8, window_of(3, 2, {1, 0, 0, 2})}, {4, 1, 6, window_of(3, 1, pad_all(1))},
    {1, 6, 7, {3, 5, 1, {1, 2, 1, 2}}},     {3, 5, 7, window_of(3, 1, pad_all(1))},
};

struct Block {
  Geometry geometry;
  Channels channels;
  InvertedResidualTrain op;

  [[nodiscard]] std::string name(std::string_view what) const {
    return fmt::format("{}_{}_c{}_{}_{}_{}{}_eps{}", what, geometry.name(), channels.x, channels.inner, channels.y,
                       name_of(op.activation), op.expands ? "_expands" : "", op.eps < 1e-4F ? "5" : "3") +
           (rounds() ? fmt::format("_{}", name_of(op.precision)) : "");
  }
  [[nodiscard]] bool rounds() const { return op.precision != graph::Precision::kF32; }
  [[nodiscard]] DType kept() const { return graph::kept_type(op.precision); }
  /// x, [we, ge, be], wd, gd, bd, wp.
  [[nodiscard]] std::vector<Input> operands() const {
    const auto& [c, e, k] = channels;
    std::vector<Input> inputs{{geometry.input(c)}};
    if (op.expands) inputs.insert(inputs.end(), {weight({e, c, 1, 1}), weight({e}), weight({e})});
    inputs.insert(inputs.end(),
                  {weight({e, 1, op.window.kernel_h, op.window.kernel_w}), weight({e}), weight({e}), weight({k, e, 1, 1})});
    return inputs;
  }
  [[nodiscard]] Case forward() const {
    Case made{name("InvertedResidualTrain"), op, operands()};
    if (rounds()) {
      made.second = kept();
      return made;  // what is rounded has no slope
    }
    if (channels.inner <= 16) made.differentiable = first_output;  // of many activations one always lies at its kink
    return made;
  }
  /// me and se are those of x and we, as the forward pass has them: who computes them again gets the same.
  [[nodiscard]] Case backward_of_forward() const {
    Case made = backward();
    if (!op.expands) return made;
    made.derive = [forward = this->forward(), md = depthwise_mean(op)](std::vector<Floats>& inputs) {
      const Subject way(forward);
      std::vector<Doubles> values(way.graph.values().size());
      for (std::size_t i = 0; i < way.inputs.size(); ++i)
        values[static_cast<std::size_t>(way.node().inputs[i])].assign(inputs[i].begin(), inputs[i].end());
      evaluate(way.graph, way.state, values);
      for (std::size_t statistic = 0; statistic < 2; ++statistic) {
        const Doubles& found = values[static_cast<std::size_t>(way.outputs[2 + statistic])];
        for (std::size_t c = 0; c < found.size(); ++c) inputs[md - 2 + statistic][c] = static_cast<float>(found[c]);
      }
    };
    return made;
  }
  [[nodiscard]] Case backward() const {
    const std::int64_t e = channels.inner;
    Case made{name("InvertedResidualTrainBackward"), graph::InvertedResidualTrainBackward{op}, operands()};
    made.inputs.push_back({geometry.output(e)});
    for (int norm = op.expands ? 2 : 1; norm > 0; --norm) made.inputs.insert(made.inputs.end(), {{{e}}, {{e}, Fill::kPositive}});
    made.inputs.push_back({geometry.output(channels.y)});
    made.inputs[depthwise_weight(op) + 4].dtype = kept();
    return made;
  }
};

/// Other numbers, which come of the name, for gradients of the i-th block in which a rounding that may fall either way reaches so
/// many positions that their tolerance would prove nothing.
std::string_view other_numbers(std::size_t i, graph::Precision precision) {
  if (precision == graph::Precision::kFP16) return i == 20 ? "_anew" : "";
  if (precision != graph::Precision::kBF16) return "";
  if (i == 2) return "_anew";
  return i == 4 || i == 5 || i == 10 || i == 11 || i == 14 || i == 16 ? "_afresh" : "";
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 22; ++i) {
    Block block{cycle(kWindows, i), cycle(kBlocks, 3 * i + i / 11), {}};
    block.op.window = block.geometry.window;
    block.op.activation = cycle(kTrained, i / 2);
    block.op.expands = i % 5 != 3;
    block.op.eps = cycle(kEps, i);
    if (!block.op.expands) block.channels.x = block.channels.inner;
    for (const graph::Precision precision :
         {graph::Precision::kF32, graph::Precision::kTF32, graph::Precision::kBF16, graph::Precision::kFP16}) {
      block.op.precision = precision;
      cases.push_back(block.forward());
      cases.push_back(block.backward_of_forward());
      cases.back().name += other_numbers(i, precision);
    }
  }
  // Means that a variance as a difference of squares would drown in.
  Case shifted =
      Block{cycle(kWindows, 10), {6, 20, 7}, {.window = kWindows[10].window, .activation = Activation::kNone}}.forward();
  shifted.name += "_shifted";
  shifted.inputs[0].fill = Fill::kShifted;
  shifted.differentiable = nullptr;
  cases.push_back(shifted);
  return cases;
}

/// Blocks of MobileNetV2 at 224.
std::vector<Case> speed() {
  const Block blocks[] = {
      {{8, 112, 112, window_of(3, 1, pad_all(1))}, {32, 32, 16}, {.expands = false}},
      {{8, 112, 112, window_of(3, 2, pad_all(1))}, {16, 96, 24}, {}},
      {{8, 56, 56, window_of(3, 1, pad_all(1))}, {24, 144, 24}, {}},
      {{8, 28, 28, window_of(3, 1, pad_all(1))}, {32, 192, 32}, {}},
      {{8, 14, 14, window_of(3, 1, pad_all(1))}, {96, 576, 96}, {}},
      {{8, 7, 7, window_of(3, 1, pad_all(1))}, {160, 960, 160}, {}},
  };
  std::vector<Case> cases;
  for (Block block : blocks) {
    block.op.window = block.geometry.window;
    for (const graph::Precision precision : {graph::Precision::kF32, graph::Precision::kBF16}) {
      block.op.precision = precision;
      cases.push_back(block.forward());
      cases.push_back(block.backward());
    }
  }
  return cases;
}

const Suite kSuite("inverted_residual_train", tests, speed);

}  // namespace
}  // namespace fovea::contract
