// Fovea: EfficientNet-Lite0 to Lite4 (Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural networks",
// ICML 2019, without squeeze-and-excitation, with ReLU6, stem and head not scaled), with the tensor names of its PyTorch port.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "model/network_builder.h"

namespace fovea {
namespace {

using graph::Activation;
using graph::ValueId;

struct Group {
  int expansion;
  int kernel;
  int channels;
  int blocks;
  int stride;  ///< of the first block
};

constexpr Group kGroups[] = {{1, 3, 16, 1, 1},  {6, 3, 24, 2, 2},  {6, 5, 40, 2, 2}, {6, 3, 80, 3, 2},
                             {6, 5, 112, 3, 1}, {6, 5, 192, 4, 2}, {6, 3, 320, 1, 1}};

struct Scaling {
  double width;
  double depth;
};

constexpr Scaling kScalings[] = {{1.0, 1.0}, {1.0, 1.1}, {1.1, 1.2}, {1.2, 1.4}, {1.4, 1.8}};
constexpr std::int64_t kStemChannels = 32;
constexpr std::int64_t kHeadChannels = 1280;

ValueId block(NetworkBuilder& builder, ValueId x, const std::string& name, const Group& group, std::int64_t channels,
              int stride) {
  const std::int64_t inputs = builder.channels(x);
  const std::int64_t hidden = inputs * group.expansion;
  ValueId y = x;
  if (group.expansion != 1) {
    y = builder.conv_norm(
        y, {.conv = name + "._expand_conv", .norm = name + "._bn0", .channels = hidden, .activation = Activation::kRelu6});
  }
  y = builder.conv_norm(y, {.conv = name + "._depthwise_conv",
                            .norm = name + "._bn1",
                            .channels = hidden,
                            .kernel = group.kernel,
                            .stride = stride,
                            .depthwise = true,
                            .activation = Activation::kRelu6});
  y = builder.conv_norm(y, {.conv = name + "._project_conv", .norm = name + "._bn2", .channels = channels});
  return stride == 1 && inputs == channels ? builder.add(graph::Add{}, {x, y}) : y;
}

}  // namespace

ValueId build_efficientnet_lite(NetworkBuilder& builder, ValueId image) {
  const Scaling scaling = kScalings[builder.spec().size];
  ValueId x = builder.conv_norm(image, {.conv = "_conv_stem",
                                        .norm = "_bn0",
                                        .channels = kStemChannels,
                                        .kernel = 3,
                                        .stride = 2,
                                        .activation = Activation::kRelu6});
  builder.end_stage(x);
  int index = 0;
  for (const Group& group : kGroups) {
    const bool fixed = &group == std::begin(kGroups) || &group == std::end(kGroups) - 1;
    const int blocks = fixed ? group.blocks : static_cast<int>(std::ceil(group.blocks * scaling.depth));
    const std::int64_t channels = round_channels(group.channels * scaling.width);
    for (int i = 0; i < blocks; ++i) {
      x = block(builder, x, fmt::format("_blocks.{}", index++), group, channels, i == 0 ? group.stride : 1);
      builder.end_stage(x);
    }
  }
  x = builder.conv_norm(x, {.conv = "_conv_head", .norm = "_bn1", .channels = kHeadChannels, .activation = Activation::kRelu6});
  builder.end_stage(x);
  return x;
}

}  // namespace fovea
