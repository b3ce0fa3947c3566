// SPDX-License-Identifier: Apache-2.0
#include "contract/windows.h"

namespace fovea::contract {
namespace {

using graph::Activation;

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kSilu};
/// What can be told from its output.
constexpr Activation kTrainedActivations[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6};

Case forward(const Geometry& g, std::int64_t c, Activation activation, bool bias) {
  Case made{fmt::format("DepthwiseConv2d_{}_c{}_{}{}", g.name(), c, name_of(activation), bias ? "_bias" : ""),
            graph::DepthwiseConv2d{g.window, activation},
            {{g.input(c)}, weight({c, 1, g.window.kernel_h, g.window.kernel_w})}};
  if (bias) made.inputs.push_back(weight({c}));
  // A fused silu is for use, not for training.
  if (activation != Activation::kSilu) made.differentiable = first_output;
  return made;
}

Case backward(const Geometry& g, std::int64_t c, Activation activation, Activation input_activation) {
  return {fmt::format("DepthwiseConv2dBackward_{}_c{}_{}_after_{}", g.name(), c, name_of(activation), name_of(input_activation)),
          graph::DepthwiseConv2dBackward{g.window, activation, input_activation},
          {{g.input(c), Fill::kActivated},
           weight({c, 1, g.window.kernel_h, g.window.kernel_w}),
           {g.output(c)},
           {g.output(c), Fill::kActivated}}};
}

std::vector<Case> tests() {
  std::vector<Case> cases;
  for (std::size_t i = 0; i < 33; ++i) {
    const Geometry& g = cycle(kGeometries, i);
    const std::int64_t c = cycle(kChannels, 5 * i + 2);
    cases.push_back(forward(g, c, cycle(kActivations, i), i % 3 != 0));
    cases.push_back(backward(g, c, cycle(kTrainedActivations, i), cycle(kTrainedActivations, i / 3)));
  }
  return cases;
}

/// Layers of MobileNetV2 and EfficientNet-Lite0 at 224.
std::vector<Case> speed() {
  struct Layer {
    Geometry geometry;
    std::int64_t channels;
  };
  const Layer layers[] = {{{8, 112, 112, window_of(3, 1, pad_all(1))}, 32},  {{8, 112, 112, window_of(3, 2, pad_all(1))}, 96},
                          {{8, 56, 56, window_of(3, 1, pad_all(1))}, 144},   {{8, 28, 28, window_of(5, 1, pad_all(2))}, 240},
                          {{8, 28, 28, window_of(5, 2, {1, 1, 2, 2})}, 240}, {{8, 14, 14, window_of(3, 1, pad_all(1))}, 384},
                          {{8, 14, 14, window_of(5, 1, pad_all(2))}, 672},   {{8, 7, 7, window_of(3, 1, pad_all(1))}, 960}};
  std::vector<Case> cases;
  for (const auto& [g, c] : layers) {
    cases.push_back(forward(g, c, Activation::kRelu6, true));
    cases.push_back(backward(g, c, Activation::kRelu6, Activation::kRelu6));
  }
  return cases;
}

const Suite kSuite("depthwise_conv2d", tests, speed);

}  // namespace
}  // namespace fovea::contract
