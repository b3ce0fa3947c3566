// SPDX-License-Identifier: Apache-2.0
#include "model/network_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace fovea {

using graph::Role;
using graph::ValueId;

namespace {

struct Zeros {
  int before;
  int after;
};

Zeros zeros_along(PaddingStyle style, std::int64_t extent, int kernel, int stride) {
  if (style == PaddingStyle::kSymmetric) return {kernel / 2, kernel / 2};
  const std::int64_t outputs = (extent + stride - 1) / stride;
  const int total = static_cast<int>(std::max<std::int64_t>((outputs - 1) * stride + kernel - extent, 0));
  return {total / 2, total - total / 2};
}

}  // namespace

graph::Window::Pad padding_for(PaddingStyle style, std::int64_t height, std::int64_t width, int kernel, int stride) {
  const Zeros rows = zeros_along(style, height, kernel, stride);
  const Zeros columns = zeros_along(style, width, kernel, stride);
  return {rows.before, columns.before, rows.after, columns.after};
}

std::int64_t round_channels(double value) {
  const std::int64_t nearest = std::max<std::int64_t>(8, static_cast<std::int64_t>(value + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * value ? nearest + 8 : nearest;
}

ValueId NetworkBuilder::leaf(Role role, std::string name, const Shape& shape) {
  stages_.back().push_back(name);
  return role == Role::kState ? graph_.state(std::move(name), shape) : graph_.parameter(std::move(name), shape);
}

ValueId NetworkBuilder::image() { return graph_.input("image", {options_.batch, spec_.height, spec_.width, 3}); }

ValueId NetworkBuilder::convolution(ValueId x, const ConvUnit& unit, bool bias) {
  if (x == graph::kNoValue) return x;
  const Shape& shape = graph_.shape(x);
  const std::int64_t inputs = unit.depthwise ? 1 : shape.back();
  const graph::Window window{unit.kernel, unit.kernel, unit.stride,
                             padding_for(spec_.padding, shape[1], shape[2], unit.kernel, unit.stride)};
  std::vector<ValueId> arguments{
      x, leaf(Role::kParameter, unit.conv + ".weight", {unit.channels, inputs, unit.kernel, unit.kernel})};
  if (bias) arguments.push_back(leaf(Role::kParameter, unit.conv + ".bias", {unit.channels}));
  return unit.depthwise ? add(graph::DepthwiseConv2d{window}, std::move(arguments))
                        : add(graph::Conv2d{window}, std::move(arguments));
}

ValueId NetworkBuilder::normalize(ValueId x, const std::string& norm) {
  if (x == graph::kNoValue) return x;
  const Shape vector{channels(x)};
  const std::int64_t values_per_mean = graph_.shape(x).elements() / vector[0];
  const ValueId gamma = leaf(Role::kParameter, norm + ".weight", vector);
  const ValueId beta = leaf(Role::kParameter, norm + ".bias", vector);
  const ValueId mean = leaf(Role::kState, norm + ".running_mean", vector);
  const ValueId var = leaf(Role::kState, norm + ".running_var", vector);
  const auto eps = static_cast<float>(spec_.bn_eps);
  const int stage = static_cast<int>(stages_.size()) - 1;
  if (options_.norm == NormMode::kFrozen || stage < options_.frozen_stages) {
    return add(graph::BatchNorm{eps}, {x, gamma, beta, mean, var});
  }
  const auto outputs = add_all(graph::BatchNormTrain{eps}, {x, gamma, beta});
  graph_.add_update({static_cast<float>(spec_.bn_momentum), values_per_mean}, {outputs[1], outputs[2]}, {mean, var});
  return outputs[0];
}

ValueId NetworkBuilder::conv_norm(ValueId x, const ConvUnit& unit) {
  const ValueId y = normalize(convolution(x, unit, false), unit.norm);
  return unit.activation == graph::Activation::kNone ? y : add(graph::Activate{unit.activation}, {y});
}

void NetworkBuilder::end_stage(ValueId x) {
  graph_.mark_output(fmt::format("stage/{}", stages_.size() - 1), x);
  stages_.emplace_back();
}

ValueId NetworkBuilder::dropout(ValueId x) {
  if (!options_.loss || spec_.dropout == 0) return x;
  return add(graph::Dropout{static_cast<float>(spec_.dropout), 0}, {x});
}

void NetworkBuilder::add_head(ValueId feature_map) {
  graph_.mark_output("feature_map", feature_map);
  const ValueId features = add(graph::GlobalAveragePool{}, {feature_map});
  graph_.mark_output("features", features);

  ValueId pooled = features;
  ValueId class_map = feature_map;
  if (spec_.head == HeadStyle::kConv) {
    const ConvUnit unit{.conv = "head.conv", .norm = {}, .channels = spec_.head_channels, .kernel = 3};
    class_map = add(graph::Activate{graph::Activation::kRelu}, {convolution(feature_map, unit, true)});
    pooled = add(graph::GlobalAveragePool{}, {dropout(class_map)});
  } else {
    pooled = dropout(features);
  }
  graph_.mark_output("class_map", class_map);
  const std::string classifier(classifier_name(spec_));
  const ValueId weight = leaf(Role::kParameter, classifier + ".weight", {spec_.classes, channels(pooled)});
  const ValueId bias = leaf(Role::kParameter, classifier + ".bias", {spec_.classes});
  const ValueId logits = add(graph::Linear{}, {pooled, weight, bias});
  graph_.mark_output("logits", logits);
  if (options_.loss) {
    add_loss(logits);
  } else if (options_.probabilities && !options_.multi_label) {
    graph_.mark_output("probabilities", add(graph::Softmax{}, {logits}));
  }
}

void NetworkBuilder::add_loss(ValueId logits) {
  const ValueId targets = graph_.input("targets", {options_.batch, spec_.classes});
  const ValueId weights = graph_.input("weights", {options_.batch});
  const graph::Op loss =
      options_.multi_label ? graph::Op(graph::SigmoidBinaryCrossEntropy{}) : graph::Op(graph::SoftmaxCrossEntropy{});
  const auto outputs = add_all(loss, {logits, targets, weights});
  graph_.mark_output("loss", outputs[0]);
  if (options_.probabilities) graph_.mark_output("probabilities", outputs[1]);
}

}  // namespace fovea
