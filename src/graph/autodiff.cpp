// SPDX-License-Identifier: Apache-2.0
#include "graph/autodiff.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"

namespace fovea::graph {
namespace {

Error no_derivative(const Op& op, std::string_view advice) {
  return fail(Error::Kind::kUnsupported, "autodiff: {} has no derivative{}", name_of(op), advice);
}

/// Of a loss: what makes the gradient by its logits from its probabilities, targets and weights. Nothing of any other op.
std::optional<Op> backward_of_loss(const Op& op) {
  if (std::holds_alternative<SoftmaxCrossEntropy>(op)) return SoftmaxCrossEntropyBackward{};
  if (std::holds_alternative<SigmoidBinaryCrossEntropy>(op)) return SigmoidBinaryCrossEntropyBackward{};
  return std::nullopt;
}

/// Walks a graph backwards and appends what each node contributes to the gradients of its inputs.
class Differentiator {
 public:
  Differentiator(const Graph& graph, const std::function<bool(std::string_view)>& trainable, std::span<const std::string> inputs)
      : graph_(graph), gradient_(graph.values().size(), kNoValue), needed_(graph.values().size(), false) {
    for (std::size_t id = 0; id < graph.values().size(); ++id) {
      const Value& value = graph.values()[id];
      needed_[id] = (value.role == Role::kParameter && trainable(value.name)) ||
                    (value.role == Role::kInput && std::ranges::find(inputs, value.name) != inputs.end());
      if (needed_[id]) leaves_.push_back(static_cast<ValueId>(id));
    }
    for (const Node& node : graph.nodes()) {
      if (std::holds_alternative<UpdateRunningStatistics>(node.op)) continue;
      const bool any = std::ranges::any_of(node.inputs, [&](ValueId id) { return needs(id); });
      for (const ValueId id : node.outputs) needed_[static_cast<std::size_t>(id)] = any;
    }
  }

  [[nodiscard]] Graph& graph() { return graph_; }

  void accumulate(ValueId value, ValueId gradient) {
    if (!needs(value)) return;
    ValueId& sum = gradient_[static_cast<std::size_t>(value)];
    sum = sum == kNoValue ? gradient : graph_.add(Add{}, {sum, gradient});
  }

  /// Nodes [0, last) of the original graph, from the end.
  Result<Graph> run(std::size_t last) {
    for (std::size_t n = last; n-- > 0;) {
      const Node node = graph_.nodes()[n];  // a copy: appending moves the nodes
      if (std::holds_alternative<UpdateRunningStatistics>(node.op)) continue;
      const bool reached = std::ranges::any_of(node.outputs, [&](ValueId id) { return of(id) != kNoValue; });
      if (reached) FOVEA_TRY(visit(node));
    }
    for (const ValueId leaf : leaves_) {
      if (of(leaf) != kNoValue) graph_.mark_output(gradient_name(graph_.value(leaf).name), of(leaf));
    }
    if (!graph_.status()) return graph_.status().error();
    return std::move(graph_);
  }

 private:
  [[nodiscard]] bool needs(ValueId id) const { return needed_[static_cast<std::size_t>(id)]; }
  // Gradients are appended later than the values they belong to, so only values of the original graph have an entry.
  [[nodiscard]] ValueId of(ValueId id) const {
    return static_cast<std::size_t>(id) < gradient_.size() ? gradient_[static_cast<std::size_t>(id)] : kNoValue;
  }

  /// Fails when a gradient reaches any output but the first.
  [[nodiscard]] bool only_first_output(const Node& node) const {
    return std::ranges::all_of(std::span(node.outputs).subspan(1), [&](ValueId id) { return of(id) == kNoValue; });
  }

  Result<void> visit(const Node& node) {
    const bool several = std::holds_alternative<FoldBatchNorm>(node.op) || std::holds_alternative<Attention>(node.op);
    if (!several && !only_first_output(node)) return no_derivative(node.op, " by its further outputs");
    const ValueId dy = of(node.outputs[0]);
    return std::visit(Overloaded{
                          [&](const Conv2d& o) { return convolution(node, o, dy); },
                          [&](const DepthwiseConv2d& o) { return depthwise(node, o, dy); },
                          [&](const InvertedResidual& o) { return inverted_residual(node, o, dy); },
                          [&](const InvertedResidualTrain& o) { return inverted_residual_train(node, o, dy); },
                          [&](const Linear&) { return linear(node, dy); },
                          [&](const BatchNormTrain& o) { return batch_norm(node, o, dy); },
                          [&](const FoldBatchNorm& o) { return fold(node, o); },
                          [&](const Activate& o) { return activate(node, o, dy); },
                          [&](const Add&) {
                            accumulate(node.inputs[0], dy);
                            accumulate(node.inputs[1], dy);
                            return Result<void>();
                          },
                          [&](const Concat&) { return concat(node, dy); },
                          [&](const SliceChannels& o) {
                            return pass(node, 0, PadChannels{o.begin, graph_.shape(node.inputs[0]).back()}, {dy});
                          },
                          [&](const PadChannels& o) {
                            return pass(node, 0, SliceChannels{o.begin, graph_.shape(node.inputs[0]).back()}, {dy});
                          },
                          [&](const GlobalAveragePool&) {
                            const Shape x = graph_.shape(node.inputs[0]);
                            return pass(node, 0, GlobalAveragePoolBackward{x[1], x[2]}, {dy});
                          },
                          [&](const Dropout& o) { return pass(node, 0, o, {dy}); },
                          [&](const Attention& o) { return attention(node, o); },
                          [&](const BatchNorm& o) { return Result<void>(no_derivative(o, ": fold_batchnorm comes first")); },
                          [&](const auto& o) { return Result<void>(no_derivative(o, "")); },
                      },
                      node.op);
  }

  Result<void> pass(const Node& node, std::size_t input, Op op, std::vector<ValueId> inputs) {
    if (needs(node.inputs[input])) accumulate(node.inputs[input], graph_.add(std::move(op), std::move(inputs)));
    return {};
  }

  Result<void> activate(const Node& node, const Activate& op, ValueId dy) {
    const ValueId told_by = op.activation == Activation::kSilu ? node.inputs[0] : node.outputs[0];
    const ValueId saved = op.keeps_slope ? node.outputs[1] : told_by;
    return pass(node, 0, ActivateBackward{op.activation, op.keeps_slope}, {saved, dy});
  }

  Result<void> convolution(const Node& node, const Conv2d& op, ValueId dy) {
    if (op.activation == Activation::kSilu && !op.keeps_slope)
      return no_derivative(op, " with silu fused: fuse_activations(for_training) leaves it apart");
    if (op.activation != Activation::kNone || op.keeps_slope)
      dy = graph_.add(ActivateBackward{op.activation, op.keeps_slope}, {node.outputs[op.keeps_slope ? 1 : 0], dy});
    const bool bias = node.inputs.size() == 3 && needs(node.inputs[2]);
    if (needs(node.inputs[1]) || bias) {
      const auto made = graph_.add_all(Conv2dBackwardWeight{op.window, bias, op.precision}, {node.inputs[0], dy});
      accumulate(node.inputs[1], made[0]);
      if (bias) accumulate(node.inputs[2], made[1]);
    }
    return pass(node, 0, Conv2dBackwardInput{op.window, graph_.shape(node.inputs[0]), op.precision}, {dy, node.inputs[1]});
  }

  Result<void> depthwise(const Node& node, const DepthwiseConv2d& op, ValueId dy) {
    if (op.activation == Activation::kSilu)
      return no_derivative(op, " with silu fused: fuse_activations(for_training) leaves it apart");
    const auto made = graph_.add_all(DepthwiseConv2dBackward{op.window, op.activation, Activation::kNone},
                                     {node.inputs[0], node.inputs[1], dy, node.outputs[0]});
    for (std::size_t i = 0; i < node.inputs.size(); ++i) accumulate(node.inputs[i], made[i]);
    return {};
  }

  Result<void> inverted_residual(const Node& node, const InvertedResidual& op, ValueId dy) {
    if (op.activation == Activation::kSilu) return no_derivative(op, " with silu, which its output does not tell");
    std::vector<ValueId> inputs(node.inputs.begin(), node.inputs.end() - 1);
    if (op.keeps_expanded) inputs.push_back(node.outputs[1]);
    inputs.push_back(dy);
    const auto made = graph_.add_all(InvertedResidualBackward{op, Activation::kNone}, std::move(inputs));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) accumulate(node.inputs[i], made[i]);
    return {};
  }

  Result<void> inverted_residual_train(const Node& node, const InvertedResidualTrain& op, ValueId dy) {
    if (op.activation == Activation::kSilu) return no_derivative(op, " with silu, which its output does not tell");
    std::vector<ValueId> inputs = node.inputs;
    inputs.insert(inputs.end(), node.outputs.begin() + 1, node.outputs.end());  // v and the statistics
    inputs.push_back(dy);
    const auto made = graph_.add_all(InvertedResidualTrainBackward{op}, std::move(inputs));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) accumulate(node.inputs[i], made[i]);
    return {};
  }

  Result<void> linear(const Node& node, ValueId dy) {
    if (needs(node.inputs[1]) || needs(node.inputs[2])) {
      const auto made = graph_.add_all(LinearBackwardWeight{}, {node.inputs[0], dy});
      accumulate(node.inputs[1], made[0]);
      accumulate(node.inputs[2], made[1]);
    }
    return pass(node, 0, LinearBackwardInput{}, {dy, node.inputs[1]});
  }

  Result<void> batch_norm(const Node& node, const BatchNormTrain& op, ValueId dy) {
    const auto& in = node.inputs;
    const auto made = graph_.add_all(BatchNormTrainBackward{op.eps, op.activation},
                                     {in[0], in[1], in[2], node.outputs[1], node.outputs[2], dy});
    for (std::size_t i = 0; i < 3; ++i) accumulate(in[i], made[i]);
    return {};
  }

  Result<void> fold(const Node& node, const FoldBatchNorm& op) {
    const auto& in = node.inputs;
    if (of(node.outputs[0]) == kNoValue || of(node.outputs[1]) == kNoValue)
      return no_derivative(op, " by one of its two outputs alone");
    if (needs(in[3]) || needs(in[4])) return no_derivative(op, " by the running statistics");
    const auto made =
        graph_.add_all(FoldBatchNormBackward{op.eps}, {in[0], in[1], in[3], in[4], of(node.outputs[0]), of(node.outputs[1])});
    for (std::size_t i = 0; i < 3; ++i) accumulate(in[i], made[i]);
    return {};
  }

  Result<void> concat(const Node& node, ValueId dy) {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::int64_t count = graph_.shape(node.inputs[i]).back();
      FOVEA_TRY(pass(node, i, SliceChannels{begin, count}, {dy}));
      begin += count;
    }
    return {};
  }

  Result<void> attention(const Node& node, const Attention& op) {
    if (of(node.outputs[0]) == kNoValue || of(node.outputs[1]) == kNoValue || of(node.outputs[2]) != kNoValue) {
      return no_derivative(op, " unless both o and v, and not p, are differentiated");
    }
    return pass(node, 0, AttentionBackward{op.heads, op.key_dim, op.head_dim},
                {node.inputs[0], node.outputs[2], of(node.outputs[0]), of(node.outputs[1])});
  }

  Graph graph_;
  std::vector<ValueId> gradient_;
  std::vector<bool> needed_;
  std::vector<ValueId> leaves_;
};

}  // namespace

std::string gradient_name(std::string_view name) { return "grad/" + std::string(name); }

Result<Graph> differentiate(const Graph& graph, const std::function<bool(std::string_view)>& trainable,
                            std::span<const std::string> inputs) {
  if (!graph.status()) return graph.status().error();
  const auto loss = graph.output("loss");
  const auto found = std::ranges::find_if(
      graph.nodes(), [&](const Node& node) { return loss && backward_of_loss(node.op) && node.outputs[0] == *loss; });
  if (found == graph.nodes().end())
    return fail(Error::Kind::kUsage, "autodiff: the graph has no output 'loss' made by a loss op");
  const Node& node = *found;
  const auto position = static_cast<std::size_t>(found - graph.nodes().begin());
  Differentiator differentiator(graph, trainable, inputs);
  const ValueId dlogits =
      differentiator.graph().add(*backward_of_loss(node.op), {node.outputs[1], node.inputs[1], node.inputs[2]});
  differentiator.accumulate(node.inputs[0], dlogits);
  return differentiator.run(position);
}

Result<Graph> differentiate_from(const Graph& graph, std::string_view output, std::string seed_name,
                                 const std::function<bool(std::string_view)>& trainable, std::span<const std::string> inputs) {
  if (!graph.status()) return graph.status().error();
  const auto root = graph.output(output);
  if (!root) return fail(Error::Kind::kUsage, "autodiff: the graph has no output '{}'", output);
  const std::size_t nodes = graph.nodes().size();
  Differentiator differentiator(graph, trainable, inputs);
  const ValueId seed = differentiator.graph().input(std::move(seed_name), graph.shape(*root));
  differentiator.accumulate(*root, seed);
  return differentiator.run(nodes);
}

}  // namespace fovea::graph
