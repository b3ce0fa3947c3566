// Fovea: what the families share: convolution units with their BatchNorm, padding, stages, heads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/network.h"

namespace fovea {

/// A convolution without bias, its BatchNorm, and an activation. The names are prefixes: ".weight" and so on is added.
struct ConvUnit {
  std::string conv;
  std::string norm;
  std::int64_t channels = 0;  ///< of the output; a depthwise unit's must be the input's
  int kernel = 1;
  int stride = 1;
  bool depthwise = false;
  graph::Activation activation = graph::Activation::kNone;
};

/// Padding of a square kernel on an input of `height` x `width`.
[[nodiscard]] graph::Window::Pad padding_for(PaddingStyle style, std::int64_t height, std::int64_t width, int kernel, int stride);

/// The nearest multiple of 8, but at least 8 and never more than a tenth below `value`: how MobileNetV2 and EfficientNet scale.
[[nodiscard]] std::int64_t round_channels(double value);

/// Appends to a graph what a spec and options ask for. Mistakes stay in the graph's status.
class NetworkBuilder {
 public:
  NetworkBuilder(const NetworkSpec& spec, const BuildOptions& options) : spec_(spec), options_(options) {}

  [[nodiscard]] const NetworkSpec& spec() const { return spec_; }
  graph::ValueId image();
  graph::ValueId conv_norm(graph::ValueId x, const ConvUnit& unit);
  graph::ValueId add(graph::Op op, std::vector<graph::ValueId> inputs) { return graph_.add(std::move(op), std::move(inputs)); }
  std::vector<graph::ValueId> add_all(graph::Op op, std::vector<graph::ValueId> inputs) {
    return graph_.add_all(std::move(op), std::move(inputs));
  }
  [[nodiscard]] std::int64_t channels(graph::ValueId x) const { return x == graph::kNoValue ? 1 : graph_.shape(x).back(); }

  /// Marks `x` as the end of the current stage and begins the next.
  void end_stage(graph::ValueId x);
  /// Everything from the end of the backbone to logits, probabilities and loss.
  void add_head(graph::ValueId feature_map);

  [[nodiscard]] graph::Graph& graph() { return graph_; }
  /// Names of parameters and states by stage, the head last.
  [[nodiscard]] std::vector<std::vector<std::string>>& stages() { return stages_; }

 private:
  graph::ValueId leaf(graph::Role role, std::string name, const Shape& shape);
  graph::ValueId convolution(graph::ValueId x, const ConvUnit& unit, bool bias);
  graph::ValueId normalize(graph::ValueId x, const std::string& norm);
  graph::ValueId dropout(graph::ValueId x);
  void add_loss(graph::ValueId logits);

  NetworkSpec spec_;
  BuildOptions options_;
  graph::Graph graph_;
  std::vector<std::vector<std::string>> stages_{1};
};

/// One function a family: the backbone from the image to its feature map, every stage ended.
graph::ValueId build_mobilenet_v2(NetworkBuilder& builder, graph::ValueId image);
graph::ValueId build_efficientnet_lite(NetworkBuilder& builder, graph::ValueId image);
graph::ValueId build_yolo11_cls(NetworkBuilder& builder, graph::ValueId image);

}  // namespace fovea
