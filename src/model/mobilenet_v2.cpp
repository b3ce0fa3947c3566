// Fovea: MobileNetV2 (Sandler et al., "MobileNetV2: Inverted residuals and linear bottlenecks", CVPR 2018, table 2), with
// torchvision's tensor names.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "model/network_builder.h"

namespace fovea {
namespace {

using graph::Activation;
using graph::ValueId;

struct Group {
  int expansion;
  int channels;
  int blocks;
  int stride;  ///< of the first block
};

constexpr Group kGroups[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                             {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

ValueId inverted_residual(NetworkBuilder& builder, ValueId x, const std::string& name, const Group& group, std::int64_t channels,
                          int stride) {
  const std::int64_t inputs = builder.channels(x);
  const std::int64_t hidden = inputs * group.expansion;
  int layer = 0;
  ValueId y = x;
  const auto unit = [&](std::int64_t outputs) {
    const std::string prefix = fmt::format("{}.conv.{}", name, layer++);
    return ConvUnit{.conv = prefix + ".0", .norm = prefix + ".1", .channels = outputs, .activation = Activation::kRelu6};
  };
  if (group.expansion != 1) y = builder.conv_norm(y, unit(hidden));
  ConvUnit depthwise = unit(hidden);
  depthwise.kernel = 3;
  depthwise.stride = stride;
  depthwise.depthwise = true;
  y = builder.conv_norm(y, depthwise);
  y = builder.conv_norm(
      y,
      {.conv = fmt::format("{}.conv.{}", name, layer), .norm = fmt::format("{}.conv.{}", name, layer + 1), .channels = channels});
  return stride == 1 && inputs == channels ? builder.add(graph::Add{}, {x, y}) : y;
}

}  // namespace

ValueId build_mobilenet_v2(NetworkBuilder& builder, ValueId image) {
  const double multiplier = builder.spec().width_multiplier;
  int feature = 0;
  const auto next = [&] { return fmt::format("features.{}", feature++); };

  const std::string stem = next();
  ValueId x = builder.conv_norm(image, {.conv = stem + ".0",
                                        .norm = stem + ".1",
                                        .channels = round_channels(32 * multiplier),
                                        .kernel = 3,
                                        .stride = 2,
                                        .activation = Activation::kRelu6});
  builder.end_stage(x);
  for (const Group& group : kGroups) {
    const std::int64_t channels = round_channels(group.channels * multiplier);
    for (int block = 0; block < group.blocks; ++block) {
      x = inverted_residual(builder, x, next(), group, channels, block == 0 ? group.stride : 1);
      builder.end_stage(x);
    }
  }
  const std::string last = next();
  x = builder.conv_norm(x, {.conv = last + ".0",
                            .norm = last + ".1",
                            .channels = round_channels(1280 * std::max(1.0, multiplier)),
                            .activation = Activation::kRelu6});
  builder.end_stage(x);
  return x;
}

}  // namespace fovea
