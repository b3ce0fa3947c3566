// Fovea: rewrites of a graph. Each gives a new graph with the same outputs, by name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace fovea::graph {

/// Every BatchNorm with stored statistics that follows a convolution without bias becomes a FoldBatchNorm of its weights and a
/// convolution with bias: exact, for training with frozen statistics and for use.
[[nodiscard]] Graph fold_batchnorm(const Graph& graph);

/// An Activate whose input has no other reader joins the convolution or BatchNormTrain that makes it. With `for_training`, only
/// activations whose derivative can be told from their output (relu, relu6) join a convolution.
[[nodiscard]] Graph fuse_activations(const Graph& graph, bool for_training);

/// After fold_batchnorm and fuse_activations, before autodiff: a pointwise convolution, a depthwise one with the same activation
/// (relu or relu6), another pointwise one, and the addition of the first one's input become one InvertedResidual where nobody
/// else reads what is in between and the window is 3x3 or 5x5. Where no pointwise convolution comes first, the depthwise one
/// begins the block.
[[nodiscard]] Graph fuse_inverted_residuals(const Graph& graph, Precision precision);

/// After fuse_inverted_residuals, before autodiff: blocks in bf16 whose x has so many channels that their expanded activations
/// are sooner read again than computed again (kLeastChannelsKept) keep them, in bf16.
[[nodiscard]] Graph keep_expanded(const Graph& graph);
inline constexpr std::int64_t kLeastChannelsKept = 64;

/// After fuse_activations, before autodiff: the same with the batch's own statistics, a pointwise convolution, a depthwise one
/// and another pointwise one, without biases, with a BatchNormTrain and its activation after each of the first two, become one
/// InvertedResidualTrain. What follows, the last BatchNormTrain and the addition, stays as it is.
[[nodiscard]] Graph fuse_live_inverted_residuals(const Graph& graph, Precision precision);

/// After fold_batchnorm, before autodiff: dense convolutions multiply in `precision`; those without bias, as before a
/// BatchNormTrain, whose statistics are then those of rounded products, in `live`.
[[nodiscard]] Graph round_convolutions(const Graph& graph, Precision precision, Precision live);

/// Drops nodes that no output needs, and leaves without readers. UpdateRunningStatistics counts as needed.
[[nodiscard]] Graph eliminate_dead(const Graph& graph);

/// After autodiff: the derivative of a convolution's activation moves into the backward node of a depthwise convolution or an
/// inverted residual that makes its gradient (input_activation), which has the activation's output at hand.
[[nodiscard]] Graph fuse_backward(const Graph& graph);

/// After autodiff: the sum of two gradients that fill each other's zeros (the two halves of what was split) becomes a Concat.
[[nodiscard]] Graph join_pads(const Graph& graph);

/// After autodiff: a Concat reads a value instead of slices of it that are together all of it, one behind the other.
[[nodiscard]] Graph join_slices(const Graph& graph);

/// Who keeps the derivative of a silu for the backward pass.
enum class Slopes : std::uint8_t {
  kNobody,        ///< it is computed again from the silu's input
  kSilus,         ///< the silu, beside its output
  kConvolutions,  ///< a convolution in bf16 that a silu follows, as one op, and gradients by such take in the product with it;
                  ///< other silus as above
};

/// After autodiff, before keep_rounded: where a silu's derivative is asked for, it is kept, so that one exponential serves both
/// passes, and what the silu was computed from need not be kept.
[[nodiscard]] Graph keep_slopes(const Graph& graph, Slopes by);

/// After keep_slopes, before keep_rounded, with Slopes::kConvolutions: a gradient by the input of a convolution in bf16 takes in
/// the addition of what reaches that input by another way, and the product with a kept slope, where nobody else reads what lies
/// between.
[[nodiscard]] Graph fuse_gradients(const Graph& graph, Slopes by);

/// Without the named outputs that are activations of every position, such as the ends of stages: training reads none of them, and
/// an output is a float and keeps its memory to the end.
[[nodiscard]] Graph forget_maps(const Graph& graph);

/// Who may keep what rounded: operands of a node that are neither weights nor their gradients.
enum class Keeping : std::uint8_t {
  kFloats,  ///< reads and writes floats
  kAlike,   ///< all of them in one type
  kEach,    ///< each in a type of its own
};
[[nodiscard]] Keeping keeping_of(const Op& op);
/// Whether that is about a node's input, or output, of this number: the others are floats.
[[nodiscard]] bool may_round_input(const Node& node, std::size_t index);
[[nodiscard]] bool may_round_output(const Node& node, std::size_t index);

/// What the operands of an op's products are rounded to, of whichever kind it is.
[[nodiscard]] Precision rounding_of(const Op& op);
/// How values may be kept around an op that rounds its operands so: in 16 bits where these are such numbers, else as kF32.
[[nodiscard]] constexpr DType kept_type(Precision precision) {
  return precision == Precision::kBF16 ? DType::kBF16 : precision == Precision::kFP16 ? DType::kF16 : DType::kF32;
}

/// v of a block's node, of either pass, that is kept in 16 bits whatever lies around it: where it keeps its expanded activations,
/// and of an InvertedResidualTrain of such numbers. kNoValue where there is none.
[[nodiscard]] ValueId always_kept_rounded(const Node& node);

/// Whether a node's values are kept in types that go together: all floats but for such a v, or rounded where the above allows it.
[[nodiscard]] bool is_kept_well(const Graph& graph, const Node& node);

/// Last: what lies between convolutions that round their operands (activations, and gradients by them) is kept in their 16 bits
/// where all who read and write it can. Leaves and named outputs stay floats; without `block_ends` so do the ends of
/// InvertedResiduals.
[[nodiscard]] Graph keep_rounded(Graph graph, bool block_ends = false);

/// Only the named outputs (those that exist), and what they need.
[[nodiscard]] Graph keep_outputs(const Graph& graph, std::span<const std::string_view> names);

/// The part of `graph` between new inputs and its outputs: each value in `cuts` becomes an input of that name. Outputs
/// that do not depend on a cut are dropped.
struct Cut {
  std::string input_name;
  ValueId value;
};
[[nodiscard]] Graph cut_inputs(const Graph& graph, std::span<const Cut> cuts);

}  // namespace fovea::graph
