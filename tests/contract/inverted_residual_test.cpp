// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "contract/windows.h"

namespace fovea::contract {
namespace {

using graph::Activation;
using graph::InvertedResidual;
using graph::Precision;

/// Channels: of x, between, of y. The first three are below, at and above a register's width; others meet whole tiles.
struct Channels {
  std::int64_t x, inner, y;
};
constexpr Channels kBlocks[] = {{3, 7, 5},    {8, 16, 8},   {17, 33, 9}, {16, 96, 24},
                                {24, 48, 20}, {24, 50, 24}, {1, 1, 1},   {40, 62, 33}};
constexpr Activation kTrained[] = {Activation::kRelu6, Activation::kRelu, Activation::kNone};

struct Block {
  Geometry geometry;
  Channels channels;
  InvertedResidual op;

  [[nodiscard]] std::string name(std::string_view what) const {
    return fmt::format("{}_{}_c{}_{}_{}_{}{}{}{}_{}", what, geometry.name(), channels.x, channels.inner, channels.y,
                       name_of(op.activation), op.expands ? "_expands" : "", op.residual ? "_residual" : "",
                       op.keeps_expanded ? "_keeps" : "", name_of(op.precision));
  }
  /// x, [we, be], wd, bd, wp.
  [[nodiscard]] std::vector<Input> operands() const {
    const auto& [c, e, k] = channels;
    // The first activation's slope is seen from its output alone, so x is one of an activation where it takes its place.
    std::vector<Input> inputs{{geometry.input(c), op.expands ? Fill::kNormal : Fill::kActivated}};
    if (op.expands) inputs.insert(inputs.end(), {weight({e, c, 1, 1}), weight({e})});
    inputs.insert(inputs.end(), {weight({e, 1, op.window.kernel_h, op.window.kernel_w}), weight({e}), weight({k, e, 1, 1})});
    return inputs;
  }
  [[nodiscard]] Case forward() const {
    Case made{name("InvertedResidual"), op, operands()};
    made.inputs.push_back(weight({channels.y}));
    // What is rounded has no slope; and of many activations one always lies at its kink.
    if (op.precision == Precision::kF32 && channels.inner <= 33) made.differentiable = first_output;
    return made;
  }
  [[nodiscard]] Case backward(Activation input_activation) const {
    Case made{name("InvertedResidualBackward") + fmt::format("_after_{}", name_of(input_activation)),
              graph::InvertedResidualBackward{op, input_activation}, operands()};
    if (op.keeps_expanded) {
      made.inputs.push_back({geometry.input(channels.inner), Fill::kActivated});
      made.inputs.back().dtype = DType::kBF16;
    }
    made.inputs.push_back({geometry.output(channels.y)});
    return made;
  }
};

/// One image of few rows and many channels: threads may share the channels, in two steps.
std::vector<Block> small_images() {
  const Block blocks[] = {{{1, 7, 7, window_of(5, 1, pad_all(2))}, {40, 62, 40}, {.residual = true}},
                          {{1, 7, 6, window_of(3, 2, pad_all(1))}, {33, 130, 50}, {}},
                          {{1, 3, 7, window_of(3, 1, pad_all(1))}, {16, 96, 24}, {}},
                          {{1, 9, 9, window_of(5, 1, pad_all(2))}, {96, 40, 17}, {}}};
  return {std::begin(blocks), std::end(blocks)};
}

/// In turn: both ends of a block kept in bf16, the one it reads, the one it writes. Of a single channel a step more or less would
/// be too large a share of the answer.
void add_with_rounded_ends(const Block& block, std::size_t i, std::vector<Case>& cases) {
  if (block.channels.inner == 1) return;
  for (const Case& source : {block.forward(), block.backward(i % 2 == 0 ? Activation::kRelu6 : Activation::kNone)}) {
    Case made = kept_rounded(source, DType::kBF16);
    if (block.op.residual) made.inputs[0].dtype = DType::kF32;  // sums of activations are
    if (i % 4 == 0) made.result = DType::kF32;
    if (i % 4 == 3) {
      made.name += "_written";
      made.inputs = source.inputs;
    }
    cases.push_back(std::move(made));
  }
}

/// A gradient in which a rounding that may fall either way (here at a kink of relu6) reaches so many positions that their
/// tolerance would prove nothing.
bool is_open(std::size_t i, Precision precision) { return i % std::size(kGeometries) == 12 && precision == Precision::kFP16; }

/// The same in bf16, of which there are other numbers in place of these: what they are comes of the name.
bool is_open(std::string_view name) {
  constexpr std::string_view kOpen[] = {
      "InvertedResidualBackward_n1_2x1_window5x5_stride1_pad2222_c16_96_16_relu_expands_residual_keeps_bf16_after_none_kept_bf16",
      "InvertedResidualBackward_n5_3x3_window3x3_stride1_pad0000_c8_16_8_none_expands_keeps_bf16_after_none",
      "InvertedResidual_n1_2x1_window5x5_stride1_pad2222_c16_96_24_none_expands_bf16_kept_bf16"};
  return std::ranges::find(kOpen, name) != std::end(kOpen);
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  for (Block block : small_images()) {
    block.op.window = block.geometry.window;
    cases.push_back(block.forward());
    cases.back().differentiable = {};
  }
  for (std::size_t i = 0; i < 26; ++i) {
    if (cycle(kGeometries, i).window.kernel_w == 1) continue;  // no block of any network
    Block block{cycle(kGeometries, i), cycle(kBlocks, 3 * i + i / 13), {}};
    InvertedResidual& op = block.op;
    op.window = block.geometry.window;
    op.activation = cycle(kTrained, i / 2);
    op.expands = i % 5 != 3;
    if (!op.expands) block.channels.x = block.channels.inner;
    if (block.geometry.output(1) == block.geometry.input(1) && i % 4 != 2) {
      op.residual = true;
      block.channels.y = block.channels.x;
    }
    for (const Precision precision : {Precision::kF32, Precision::kTF32, Precision::kFP16, Precision::kBF16}) {
      op.precision = precision;
      cases.push_back(block.forward());
      if (!is_open(i, precision)) cases.push_back(block.backward(op.expands ? Activation::kNone : Activation::kRelu6));
    }
    add_with_rounded_ends(block, i, cases);
    if (!op.expands) continue;
    op.keeps_expanded = true;  // in bf16
    cases.push_back(block.forward());
    cases.push_back(block.backward(Activation::kNone));
    add_with_rounded_ends(block, i, cases);
  }
  for (Case& made : cases) {
    if (is_open(made.name)) made.name += "_anew";
  }
  return cases;
}

/// Blocks of MobileNetV2 and EfficientNet-Lite0 at 224.
std::vector<Case> speed() {
  const Block blocks[] = {
      {{8, 112, 112, window_of(3, 1, pad_all(1))}, {32, 32, 16}, {.expands = false}},
      {{8, 112, 112, window_of(3, 2, pad_all(1))}, {16, 96, 24}, {}},
      {{8, 56, 56, window_of(3, 1, pad_all(1))}, {24, 144, 24}, {.residual = true}},
      {{8, 28, 28, window_of(5, 1, pad_all(2))}, {40, 240, 40}, {.residual = true}},
      {{8, 28, 28, window_of(3, 1, pad_all(1))}, {32, 192, 32}, {.residual = true}},
      {{8, 14, 14, window_of(3, 1, pad_all(1))}, {96, 576, 96}, {.residual = true}},
      {{8, 14, 14, window_of(5, 1, pad_all(2))}, {112, 672, 112}, {.residual = true}},
      {{8, 7, 7, window_of(3, 1, pad_all(1))}, {160, 960, 160}, {.residual = true}},
      {{8, 7, 7, window_of(5, 1, pad_all(2))}, {192, 1152, 192}, {.residual = true}},
  };
  std::vector<Case> cases;
  for (Block block : blocks) {
    block.op.window = block.geometry.window;
    for (const Precision precision : {Precision::kF32, Precision::kBF16}) {
      block.op.precision = precision;
      cases.push_back(block.forward());
      cases.push_back(block.backward(Activation::kNone));
    }
  }
  return cases;
}

const Suite kSuite("inverted_residual", tests, speed);

}  // namespace
}  // namespace fovea::contract
