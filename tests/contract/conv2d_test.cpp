// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "contract/windows.h"
#include "graph/passes.h"

namespace fovea::contract {
namespace {

using graph::Activation;
using graph::Precision;

constexpr Precision kPrecisions[] = {Precision::kF32, Precision::kTF32, Precision::kBF16, Precision::kFP16};

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kSilu};

std::string suffix(Precision precision) { return precision == Precision::kF32 ? "" : fmt::format("_{}", name_of(precision)); }

Case forward(const Geometry& g, std::int64_t c, std::int64_t k, Activation activation, bool bias, Precision precision) {
  Case made{fmt::format("Conv2d_{}_c{}_k{}_{}{}{}", g.name(), c, k, name_of(activation), bias ? "_bias" : "", suffix(precision)),
            graph::Conv2d{g.window, activation, precision},
            {{g.input(c)}, weight({k, c, g.window.kernel_h, g.window.kernel_w})}};
  if (bias) made.inputs.push_back(weight({k}));
  // A fused silu is for use, not for training; what is rounded has no slope.
  if (activation != Activation::kSilu && precision == Precision::kF32) made.differentiable = first_output;
  return made;
}

/// With silu, whose slope is kept.
Case forward_with_slope(const Geometry& g, std::int64_t c, std::int64_t k, bool bias, Precision precision) {
  Case made = forward(g, c, k, Activation::kSilu, bias, precision);
  made.name += "_keeps_slope";
  made.op = graph::Conv2d{g.window, Activation::kSilu, precision, true};
  if (precision == Precision::kF32) made.differentiable = first_output;
  return made;
}

Case backward_input(const Geometry& g, std::int64_t c, std::int64_t k, Precision precision) {
  return {fmt::format("Conv2dBackwardInput_{}_c{}_k{}{}", g.name(), c, k, suffix(precision)),
          graph::Conv2dBackwardInput{g.window, g.input(c), precision},
          {{g.output(k)}, weight({k, c, g.window.kernel_h, g.window.kernel_w})}};
}

/// With what is added and slopes, one or both.
Case backward_input_and_more(const Geometry& g, std::int64_t c, std::int64_t k, Precision precision, bool adds, bool by_slope) {
  Case made = backward_input(g, c, k, precision);
  made.name += std::string(adds ? "_adds" : "") + (by_slope ? "_by_slope" : "");
  made.op = graph::Conv2dBackwardInput{g.window, g.input(c), precision, adds, by_slope};
  for (int i = 0; i < int{adds} + int{by_slope}; ++i) made.inputs.push_back({g.input(c)});
  return made;
}

Case backward_weight(const Geometry& g, std::int64_t c, std::int64_t k, bool bias, Precision precision) {
  return {fmt::format("Conv2dBackwardWeight_{}_c{}_k{}{}{}", g.name(), c, k, bias ? "_bias" : "", suffix(precision)),
          graph::Conv2dBackwardWeight{g.window, bias, precision},
          {{g.input(c)}, {g.output(k)}}};
}

/// What a convolution that rounds its operands reads and writes may be kept as either type, each for itself.
std::vector<Case> kept(const Case& source) {
  const DType type = graph::kept_type(graph::convolution_precision(source.op));
  Case all = kept_rounded(source, type), result = source;
  if (std::holds_alternative<graph::Conv2dBackwardWeight>(source.op)) {
    all.result = DType::kF32;  // gradients of weights are floats
    Case x = source, dy = source;
    x.inputs[0].dtype = dy.inputs[1].dtype = type;
    x.name += fmt::format("_x_kept_{}", short_name(type));
    dy.name += fmt::format("_dy_kept_{}", short_name(type));
    return {all, x, dy};
  }
  result.result = type;
  result.name += fmt::format("_result_kept_{}", short_name(type));
  Case operands = all;
  operands.result = DType::kF32;
  operands.name += "_alone";
  return {all, operands, result};
}

/// Operands, results and slopes of either type.
std::vector<Case> kept_with_slope(const Case& source) {
  Case all = kept_rounded(source, DType::kBF16), slope = source, result = source;
  all.second = slope.second = result.result = DType::kBF16;
  slope.name += "_slope_kept_bf16";
  result.name += "_result_kept_bf16";
  return {all, slope, result};
}

/// Gradients by x that take in what follows them: all of it kept in bf16, or only what is added and slopes, or the result.
void add_fused_gradients(std::vector<Case>& cases, std::size_t i, const Geometry& g, std::int64_t c, std::int64_t k) {
  const bool adds = i % 3 != 0, by_slope = i % 3 != 1;
  cases.push_back(backward_input_and_more(g, c, k, Precision::kF32, adds, by_slope));
  const Case source = backward_input_and_more(g, c, k, Precision::kBF16, adds, by_slope);
  Case more = source, result = source;
  for (std::size_t input = 2; input < more.inputs.size(); ++input) more.inputs[input].dtype = DType::kBF16;
  more.name += "_more_kept_bf16";
  result.result = DType::kBF16;
  result.name += "_result_kept_bf16";
  cases.insert(cases.end(), {source, kept_rounded(source, DType::kBF16), more, result});
}

/// All three ops; in 16 bits also with what they read and write kept so.
void add_ops(std::vector<Case>& cases, std::size_t i, const Geometry& g, std::int64_t c, std::int64_t k) {
  for (const Precision precision : kPrecisions) {
    cases.push_back(forward(g, c, k, cycle(kActivations, i), i % 3 != 0, precision));
    cases.push_back(backward_input(g, c, k, precision));
    cases.push_back(backward_weight(g, c, k, i % 2 == 0, precision));
    if (graph::kept_type(precision) == DType::kF32) continue;
    for (std::size_t made = cases.size() - 3, end = cases.size(); made < end; ++made) {
      for (const Case& other : kept(cases[made])) cases.push_back(other);
    }
  }
  for (const Precision precision : {Precision::kF32, Precision::kBF16})
    cases.push_back(forward_with_slope(g, c, k, i % 3 != 0, precision));
  // Of so few results one that may be rounded either way is too great a share.
  constexpr std::int64_t kFew = 4;
  if (g.output(k).elements() > kFew) {
    for (const Case& other : kept_with_slope(cases.back())) cases.push_back(other);
  }
  add_fused_gradients(cases, i, g, c, k);
}

/// Gradients of weights over so many positions that they are summed in bands and parts; an odd number of rows, and columns that
/// fill no whole group of vectors. Pairs of images, whose rows are parted, and which are several in a band.
void add_many_positions(std::vector<Case>& cases) {
  struct Layer {
    Geometry geometry;
    std::int64_t c, k;
  };
  const Layer layers[] = {{{3, 45, 25, window_of(3, 1, pad_all(1))}, 5, 72},  {{5, 43, 38, window_of(3, 2, pad_all(1))}, 19, 24},
                          {{2, 41, 29, window_of(1, 1, {})}, 24, 136},        {{4, 33, 25, window_of(3, 1, pad_all(1))}, 5, 72},
                          {{6, 43, 38, window_of(3, 2, pad_all(1))}, 19, 24}, {{16, 7, 7, window_of(3, 1, pad_all(1))}, 8, 40},
                          {{4, 9, 150, window_of(5, 2, pad_all(2))}, 3, 16}};
  for (const auto& [g, c, k] : layers) {
    cases.push_back(backward_weight(g, c, k, true, Precision::kF32));
    cases.push_back(backward_weight(g, c, k, true, Precision::kBF16));
    for (const Case& other : kept(cases.back())) cases.push_back(other);
  }
}

/// Gradients by x in whole vectors of columns and in parts of them, of rows that are longer than what is computed at once, and of
/// more of them than a band has.
void add_long_rows(std::vector<Case>& cases) {
  struct Layer {
    Geometry geometry;
    std::int64_t c, k;
  };
  const Layer layers[] = {{{1, 50, 32, window_of(3, 1, pad_all(1))}, 16, 48}, {{1, 15, 66, window_of(3, 2, pad_all(1))}, 32, 20},
                          {{1, 19, 31, window_of(1, 1, {})}, 48, 66},         {{1, 5, 30, window_of(3, 1, pad_all(1))}, 8, 9},
                          {{1, 9, 36, window_of(3, 2, pad_all(1))}, 64, 12},  {{1, 5, 29, window_of(1, 1, {})}, 136, 24}};
  for (const auto& [g, c, k] : layers) {
    cases.push_back(kept_rounded(backward_input(g, c, k, Precision::kBF16), DType::kBF16));
    for (const auto& [adds, by_slope] : {std::pair{true, false}, {false, true}, {true, true}})
      cases.push_back(kept_rounded(backward_input_and_more(g, c, k, Precision::kBF16, adds, by_slope), DType::kBF16));
  }
}

/// Windows that no network has: positions of x that none of them sees, in rows or in columns alone; more padding than taps.
void add_odd_windows(std::vector<Case>& cases) {
  for (const Geometry& g : {Geometry{2, 8, 7, {2, 3, 3, {0, 0, 0, 0}}}, Geometry{1, 7, 9, {3, 1, 2, {1, 0, 1, 0}}},
                            Geometry{1, 3, 4, {2, 2, 1, {2, 3, 2, 3}}}, Geometry{1, 6, 6, {2, 2, 2, {0, 0, 0, 0}}}}) {
    cases.push_back(forward(g, 5, 18, Activation::kNone, true, Precision::kF32));
    cases.push_back(backward_weight(g, 5, 18, true, Precision::kF32));
    for (const Precision precision : {Precision::kF32, Precision::kBF16}) {
      for (const bool more : {false, true}) cases.push_back(backward_input_and_more(g, 5, 18, precision, more, more));
      cases.push_back(backward_input(g, 32, 6, precision));
    }
    cases.push_back(kept_rounded(backward_input_and_more(g, 32, 6, Precision::kBF16, true, true), DType::kBF16));
  }
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 26; ++i)
    add_ops(cases, i, cycle(kGeometries, i), cycle(kChannels, 3 * i), cycle(kChannels, 7 * i + 4));
  // So many weights that rearranging them is dealt out.
  add_ops(cases, 28, {1, 3, 4, window_of(3, 1, pad_all(1))}, 40, 192);
  add_many_positions(cases);
  add_long_rows(cases);
  add_odd_windows(cases);
  return cases;
}

/// Layers of MobileNetV2 at 224 and of a YOLO11-cls.
std::vector<Case> speed() {
  struct Layer {
    Geometry geometry;
    std::int64_t c, k;
  };
  const Layer layers[] = {{{8, 224, 224, window_of(3, 2, pad_all(1))}, 3, 32}, {{8, 112, 112, window_of(1, 1, {})}, 16, 96},
                          {{8, 56, 56, window_of(1, 1, {})}, 144, 24},         {{8, 14, 14, window_of(1, 1, {})}, 64, 384},
                          {{8, 7, 7, window_of(1, 1, {})}, 320, 1280},         {{8, 28, 28, window_of(3, 1, pad_all(1))}, 64, 64},
                          {{8, 28, 28, window_of(3, 2, pad_all(1))}, 128, 128}};
  std::vector<Case> cases;
  for (const auto& [g, c, k] : layers) {
    for (const Precision precision : {Precision::kF32, Precision::kBF16}) {
      cases.push_back(forward(g, c, k, Activation::kRelu6, true, precision));
      cases.push_back(backward_input(g, c, k, precision));
      cases.push_back(backward_weight(g, c, k, true, precision));
      if (precision == Precision::kF32) continue;
      for (std::size_t made = cases.size() - 3, end = cases.size(); made < end; ++made)
        cases.push_back(kept(cases[made]).front());
    }
  }
  return cases;
}

const Suite kSuite("conv2d", tests, speed);

}  // namespace
}  // namespace fovea::contract
