// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "graph/graph.h"

namespace fovea::graph {
namespace {

std::string fields(const Window& w) {
  std::string text = fmt::format("{}x{}", w.kernel_h, w.kernel_w);
  if (w.stride != 1) text += fmt::format(" stride {}", w.stride);
  if (w.pad != Window::Pad{}) text += fmt::format(" pad {},{},{},{}", w.pad.top, w.pad.left, w.pad.bottom, w.pad.right);
  return text;
}

std::string with(std::string text, Activation activation, std::string_view before = "") {
  if (activation == Activation::kNone) return text;
  return text + (text.empty() ? "" : " ") + fmt::format("{}{}", before, name_of(activation));
}

std::string with(std::string text, Precision precision) {
  if (precision == Precision::kF32) return text;
  return fmt::format("{}{}{}", text, text.empty() ? "" : " ", name_of(precision));
}

std::string fields(const InvertedResidual& op) {
  std::string text = with(fields(op.window), op.activation);
  if (op.expands) text += " expands";
  if (op.residual) text += " residual";
  if (op.keeps_expanded) text += " keeps expanded";
  return with(text, op.precision);
}

std::string fields(const InvertedResidualTrain& op) {
  return with(with(fields(op.window), op.activation) + (op.expands ? " expands" : "") + fmt::format(" eps {}", op.eps),
              op.precision);
}

std::string fields(const Op& op) {
  return std::visit(
      Overloaded{
          [](const Conv2d& o) {
            return with(with(fields(o.window), o.activation) + (o.keeps_slope ? " keeps slope" : ""), o.precision);
          },
          [](const DepthwiseConv2d& o) { return with(fields(o.window), o.activation); },
          [](const InvertedResidual& o) { return fields(o); },
          [](const InvertedResidualBackward& o) { return with(fields(o.forward), o.input_activation, "input "); },
          [](const InvertedResidualTrain& o) { return fields(o); },
          [](const InvertedResidualTrainBackward& o) { return fields(o.forward); },
          [](const BatchNorm& o) { return fmt::format("eps {}", o.eps); },
          [](const BatchNormTrain& o) { return with(fmt::format("eps {}", o.eps), o.activation); },
          [](const UpdateRunningStatistics& o) { return fmt::format("momentum {} count {}", o.momentum, o.count); },
          [](const FoldBatchNorm& o) { return fmt::format("eps {}", o.eps); },
          [](const Activate& o) { return fmt::format("{}{}", name_of(o.activation), o.keeps_slope ? " keeps slope" : ""); },
          [](const SliceChannels& o) { return fmt::format("{}+{}", o.begin, o.count); },
          [](const PadChannels& o) { return fmt::format("{} of {}", o.begin, o.total); },
          [](const Dropout& o) { return fmt::format("{} stream {}", o.rate, o.stream); },
          [](const Attention& o) { return fmt::format("heads {} key {} value {}", o.heads, o.key_dim, o.head_dim); },
          [](const AttentionBackward& o) { return fmt::format("heads {} key {} value {}", o.heads, o.key_dim, o.head_dim); },
          [](const Conv2dBackwardInput& o) {
            return with(fields(o.window) + (o.adds ? " adds" : "") + (o.by_slope ? " by slope" : ""), o.precision);
          },
          [](const Conv2dBackwardWeight& o) { return with(fields(o.window) + (o.bias ? " bias" : ""), o.precision); },
          [](const DepthwiseConv2dBackward& o) {
            return with(with(fields(o.window), o.activation), o.input_activation, "input ");
          },
          [](const BatchNormTrainBackward& o) { return with(fmt::format("eps {}", o.eps), o.activation); },
          [](const FoldBatchNormBackward& o) { return fmt::format("eps {}", o.eps); },
          [](const ActivateBackward& o) { return fmt::format("{}{}", name_of(o.activation), o.by_slope ? " by slope" : ""); },
          [](const GlobalAveragePoolBackward& o) { return fmt::format("{}x{}", o.height, o.width); },
          [](const auto&) { return std::string(); },
      },
      op);
}

std::string label(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  return value.name.empty() ? fmt::format("%{}", id) : value.name;
}

}  // namespace

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::kNone: return "none";
    case Activation::kRelu: return "relu";
    case Activation::kRelu6: return "relu6";
    case Activation::kSilu: return "silu";
  }
  return "?";
}

std::string_view name_of(Precision precision) {
  constexpr std::string_view kNames[] = {"fp32", "tf32", "bf16", "fp16"};
  return kNames[static_cast<std::size_t>(precision)];
}

std::string_view name_of(const Op& op) {
  static constexpr std::string_view kNames[] = {"Conv2d",
                                                "DepthwiseConv2d",
                                                "InvertedResidual",
                                                "InvertedResidualTrain",
                                                "Linear",
                                                "BatchNorm",
                                                "BatchNormTrain",
                                                "UpdateRunningStatistics",
                                                "FoldBatchNorm",
                                                "Activate",
                                                "Add",
                                                "Concat",
                                                "SliceChannels",
                                                "PadChannels",
                                                "GlobalAveragePool",
                                                "Dropout",
                                                "Attention",
                                                "Softmax",
                                                "SoftmaxCrossEntropy",
                                                "SigmoidBinaryCrossEntropy",
                                                "Conv2dBackwardInput",
                                                "Conv2dBackwardWeight",
                                                "DepthwiseConv2dBackward",
                                                "InvertedResidualBackward",
                                                "InvertedResidualTrainBackward",
                                                "LinearBackwardInput",
                                                "LinearBackwardWeight",
                                                "BatchNormTrainBackward",
                                                "FoldBatchNormBackward",
                                                "ActivateBackward",
                                                "GlobalAveragePoolBackward",
                                                "AttentionBackward",
                                                "SoftmaxCrossEntropyBackward",
                                                "SigmoidBinaryCrossEntropyBackward"};
  static_assert(std::size(kNames) == std::variant_size_v<Op>);
  return kNames[op.index()];
}

namespace {

std::string_view kept_as(DType dtype) {
  if (dtype == DType::kF32) return "";
  return dtype == DType::kBF16 ? " bf16" : " fp16";
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes()) {
    std::string line;
    for (const ValueId id : node.outputs)
      line += fmt::format("{}{} {}{}", line.empty() ? "" : ", ", label(graph, id), to_string(graph.shape(id)),
                          kept_as(graph.dtype(id)));
    line += fmt::format(" = {}", name_of(node.op));
    if (const std::string detail = fields(node.op); !detail.empty()) line += fmt::format("[{}]", detail);
    std::string arguments;
    for (const ValueId id : node.inputs) arguments += (arguments.empty() ? "" : ", ") + label(graph, id);
    text += fmt::format("{}({})\n", line, arguments);
  }
  for (const Graph::Output& output : graph.outputs())
    text += fmt::format("output {} = {}\n", output.name, label(graph, output.value));
  return text;
}

}  // namespace fovea::graph
