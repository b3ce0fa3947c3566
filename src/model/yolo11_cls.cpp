// Fovea: the classification networks of YOLO11, sizes n, s, m, l, x, with the tensor names of Ultralytics' state dictionaries.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/network_builder.h"

namespace fovea {
namespace {

using graph::Activation;
using graph::ValueId;

struct Scaling {
  double width;
  int max_channels;
  int repeats;         ///< inner blocks of every C3k2 and of C2PSA
  bool nested_always;  ///< the first two C3k2 hold C3k blocks too
};

constexpr Scaling kScalings[] = {
    {0.25, 1024, 1, false}, {0.5, 1024, 1, false}, {1.0, 512, 1, true}, {1.0, 512, 2, true}, {1.5, 512, 2, true}};
constexpr std::int64_t kEmbedding = 1280;
constexpr int kHeadDim = 64;

std::int64_t scaled_channels(const Scaling& scaling, int base) {
  return static_cast<std::int64_t>(std::ceil(std::min(base, scaling.max_channels) * scaling.width / 8)) * 8;
}

/// Convolution, BatchNorm, SiLU: "NAME.conv", "NAME.bn".
ValueId conv(NetworkBuilder& builder, ValueId x, const std::string& name, std::int64_t channels, int kernel = 1, int stride = 1) {
  return builder.conv_norm(x, {.conv = name + ".conv",
                               .norm = name + ".bn",
                               .channels = channels,
                               .kernel = kernel,
                               .stride = stride,
                               .activation = Activation::kSilu});
}

/// The same without activation.
ValueId linear_conv(NetworkBuilder& builder, ValueId x, const std::string& name, std::int64_t channels) {
  return builder.conv_norm(x, {.conv = name + ".conv", .norm = name + ".bn", .channels = channels});
}

ValueId bottleneck(NetworkBuilder& builder, ValueId x, const std::string& name, std::int64_t hidden) {
  const ValueId y = conv(builder, x, name + ".cv1", hidden, 3);
  return builder.add(graph::Add{}, {x, conv(builder, y, name + ".cv2", builder.channels(x), 3)});
}

/// Two parallel 1x1 branches of half the width, one through two bottlenecks, joined by a 1x1.
ValueId nested_block(NetworkBuilder& builder, ValueId x, const std::string& name) {
  const std::int64_t channels = builder.channels(x);
  const std::int64_t half = channels / 2;
  ValueId deep = conv(builder, x, name + ".cv1", half);
  const ValueId direct = conv(builder, x, name + ".cv2", half);
  for (int i = 0; i < 2; ++i) deep = bottleneck(builder, deep, fmt::format("{}.m.{}", name, i), half);
  return conv(builder, builder.add(graph::Concat{}, {deep, direct}), name + ".cv3", channels);
}

struct Halves {
  ValueId first;
  ValueId second;
};

Halves split(NetworkBuilder& builder, ValueId x, std::int64_t channels) {
  return {builder.add(graph::SliceChannels{0, channels}, {x}), builder.add(graph::SliceChannels{channels, channels}, {x})};
}

/// C3k2: a chain of inner blocks on one half; both halves and every link of the chain are joined.
ValueId chain(NetworkBuilder& builder, ValueId x, const std::string& name, std::int64_t channels, double share, bool nested,
              int repeats) {
  const auto inner = static_cast<std::int64_t>(static_cast<double>(channels) * share);
  const Halves halves = split(builder, conv(builder, x, name + ".cv1", 2 * inner), inner);
  std::vector<ValueId> parts{halves.first, halves.second};
  for (int i = 0; i < repeats; ++i) {
    const std::string block = fmt::format("{}.m.{}", name, i);
    parts.push_back(nested ? nested_block(builder, parts.back(), block) : bottleneck(builder, parts.back(), block, inner / 2));
  }
  return conv(builder, builder.add(graph::Concat{}, std::move(parts)), name + ".cv2", channels);
}

/// Self-attention over positions; a depthwise convolution of the values stands for where they are.
ValueId attention(NetworkBuilder& builder, ValueId x, const std::string& name) {
  const std::int64_t channels = builder.channels(x);
  const int heads = static_cast<int>(std::max<std::int64_t>(channels / kHeadDim, 1));
  const int head_dim = static_cast<int>(channels / heads);
  const int key_dim = head_dim / 2;
  const ValueId qkv = linear_conv(builder, x, name + ".qkv", channels + 2 * std::int64_t{key_dim} * heads);
  const auto outputs = builder.add_all(graph::Attention{heads, key_dim, head_dim}, {qkv});
  const ValueId position = builder.conv_norm(
      outputs[1], {.conv = name + ".pe.conv", .norm = name + ".pe.bn", .channels = channels, .kernel = 3, .depthwise = true});
  return linear_conv(builder, builder.add(graph::Add{}, {outputs[0], position}), name + ".proj", channels);
}

/// C2PSA: attention and a small dense network, both residual, on one half.
ValueId attention_stage(NetworkBuilder& builder, ValueId x, const std::string& name, int repeats) {
  const std::int64_t channels = builder.channels(x);
  const std::int64_t half = channels / 2;
  const Halves halves = split(builder, conv(builder, x, name + ".cv1", 2 * half), half);
  ValueId b = halves.second;
  for (int i = 0; i < repeats; ++i) {
    const std::string block = fmt::format("{}.m.{}", name, i);
    b = builder.add(graph::Add{}, {b, attention(builder, b, block + ".attn")});
    const ValueId hidden = conv(builder, b, block + ".ffn.0", 2 * half);
    b = builder.add(graph::Add{}, {b, linear_conv(builder, hidden, block + ".ffn.1", half)});
  }
  return conv(builder, builder.add(graph::Concat{}, {halves.first, b}), name + ".cv2", channels);
}

}  // namespace

ValueId build_yolo11_cls(NetworkBuilder& builder, ValueId image) {
  const Scaling scaling = kScalings[builder.spec().size];
  ValueId x = image;
  int layer = 0;
  const auto next = [&] { return fmt::format("model.{}", layer++); };
  const auto halve = [&](int base) {
    x = conv(builder, x, next(), scaled_channels(scaling, base), 3, 2);
    builder.end_stage(x);
  };
  const auto refine = [&](int base, double share, bool nested) {
    x = chain(builder, x, next(), scaled_channels(scaling, base), share, nested, scaling.repeats);
    builder.end_stage(x);
  };
  halve(64);
  halve(128);
  refine(256, 0.25, scaling.nested_always);
  halve(256);
  refine(512, 0.25, scaling.nested_always);
  halve(512);
  refine(512, 0.5, true);
  halve(1024);
  refine(1024, 0.5, true);
  x = attention_stage(builder, x, next(), scaling.repeats);
  builder.end_stage(x);
  x = conv(builder, x, next() + ".conv", kEmbedding);
  builder.end_stage(x);
  return x;
}

}  // namespace fovea
