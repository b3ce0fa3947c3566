// Fovea: every operation a network can be made of, forward and backward: a closed set of typed structs.
// SPDX-License-Identifier: Apache-2.0
//
// Letters: N batch; H, W rows and columns; C channels in; K channels out; R, S kernel rows and columns.
// Activations are (N, H, W, C). Convolution weights are (K, C, R, S), depthwise ones (C, 1, R, S), linear ones (K, C):
// the order of the weight files. `x, w -> y` lists inputs and outputs in order; [b] may be left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "core/shape.h"
#include "graph/activation.h"

namespace fovea::graph {

[[nodiscard]] std::string_view name_of(Activation activation);

/// What the operands of an op's products are rounded to: 24 significant bits, 11 (in the range of floats, or in that of 16 bits,
/// up to 65504) or 8. Sums are of 32 bits either way.
enum class Precision : std::uint8_t { kF32, kTF32, kBF16, kFP16 };

[[nodiscard]] std::string_view name_of(Precision precision);

/// Geometry of a sliding window; `pad` is zeros around the input. Output rows: (H + top + bottom - kernel_h) / stride + 1.
struct Window {
  int kernel_h = 1;
  int kernel_w = 1;
  int stride = 1;
  struct Pad {
    int top = 0;
    int left = 0;
    int bottom = 0;
    int right = 0;
    friend bool operator==(const Pad&, const Pad&) = default;
  } pad;
  friend bool operator==(const Window&, const Window&) = default;
};

// ---- forward ---------------------------------------------------------------------------------------------------

/// x (N,H,W,C), w (K,C,R,S), [b (K)] -> y (N,H',W',K) = activation(x * w + b). Cross-correlation, as in every framework. With
/// a Precision other than kF32, x and w are rounded to it. If `keeps_slope`, there is s (like y) behind y: the activation's
/// derivative at x * w + b, for the backward pass.
struct Conv2d {
  Window window;
  Activation activation = Activation::kNone;
  Precision precision = Precision::kF32;
  bool keeps_slope = false;
};

/// x (N,H,W,C), w (C,1,R,S), [b (C)] -> y (N,H',W',C).
struct DepthwiseConv2d {
  Window window;
  Activation activation = Activation::kNone;
};

/// x (N,H,W,C), [we (E,C,1,1), be (E)], wd (E,1,R,S), bd (E), wp (K,E,1,1), bp (K) -> y (N,H',W',K): a pointwise convolution to E
/// channels (left out: E = C, the next reads x), a depthwise one, both with `activation`, and a pointwise one to K, to which x is
/// added if `residual`. With another Precision than kF32, x, all three weights and both inner activations are rounded. If
/// `keeps_expanded`, there is v (N,H,W,E) behind y: what the depthwise convolution reads, for the backward pass (bf16 alone).
struct InvertedResidual {
  Window window;
  Activation activation = Activation::kRelu6;
  bool expands = true;
  bool residual = false;
  Precision precision = Precision::kF32;
  bool keeps_expanded = false;
};

/// x (N,H,W,C), [we (E,C,1,1), ge, be (E)], wd (E,1,R,S), gd, bd (E), wp (K,E,1,1) -> y (N,H',W',K), v (N,H',W',E), [me, se (E)],
/// md, sd (E): the same block in training with the batch's own statistics, up to its last convolution. A pointwise convolution to
/// E channels, BatchNormTrain (scale ge, shift be; mean me and variance se) and `activation` (left out: the next reads x); a
/// depthwise one, whose output is v, BatchNormTrain (gd, bd; md, sd) and `activation`; a pointwise one to K. With
/// another Precision than kF32, x, all three weights, both inner activations and v are rounded; md and sd are those of v
/// rounded.
struct InvertedResidualTrain {
  Window window;
  Activation activation = Activation::kRelu6;
  bool expands = true;
  float eps = 1e-5F;
  Precision precision = Precision::kF32;
};

/// x (N,C), w (K,C), b (K) -> y (N,K) = x w' + b.
struct Linear {};

/// x (...,C), gamma, beta, mean, var (C) -> y = (x - mean) / sqrt(var + eps) * gamma + beta, with stored statistics.
struct BatchNorm {
  float eps = 1e-5F;
};

/// x (...,C), gamma (C), beta (C) -> y, mean (C), var (C): normalised by the batch's own mean and biased variance.
struct BatchNormTrain {
  float eps = 1e-5F;
  Activation activation = Activation::kNone;
};

/// batch mean (C), batch biased var (C) -> running mean (C), running var (C), which are states, read and written:
/// running = (1 - momentum) running + momentum batch, the variance made unbiased by count / (count - 1).
struct UpdateRunningStatistics {
  float momentum = 0.1F;
  std::int64_t count = 0;  ///< elements behind each mean: N H W
};

/// w (K,C,R,S) or (C,1,R,S), gamma, beta, mean, var (K) -> w gamma/s, beta - mean gamma/s with s = sqrt(var + eps).
struct FoldBatchNorm {
  float eps = 1e-5F;
};

/// x -> activation(x), any shape. If `keeps_slope`, there is s (like x) behind it: the derivative at x, for the backward pass.
struct Activate {
  Activation activation = Activation::kRelu;
  bool keeps_slope = false;
};

/// a, b -> a + b, equal shapes.
struct Add {};

/// x0 (...,C0), x1 (...,C1), ... -> (...,C0+C1+...).
struct Concat {};

/// x (...,C) -> (...,count): channels [begin, begin + count).
struct SliceChannels {
  std::int64_t begin = 0;
  std::int64_t count = 0;
};

/// x (...,C) -> (...,total): x at channel `begin`, zeros around it.
struct PadChannels {
  std::int64_t begin = 0;
  std::int64_t total = 0;
};

/// x (N,H,W,C) -> (N,C).
struct GlobalAveragePool {};

/// x -> x with each element zeroed with probability `rate`, the others divided by (1 - rate). The mask depends on the run's
/// seed and step, on `stream`, and on the element's index in the whole batch; the op is its own backward.
struct Dropout {
  float rate = 0.0F;
  std::uint32_t stream = 0;
};

/// qkv (N,H,W,heads (2 key_dim + head_dim)), per head in the order q, k, v -> o (N,H,W,heads head_dim), v (same shape),
/// p (N,heads,L,L) with L = H W: p = softmax over keys of q k' / sqrt(key_dim), o = p v.
struct Attention {
  int heads = 1;
  int key_dim = 32;
  int head_dim = 64;
};

/// x (N,K) -> softmax over K.
struct Softmax {};

/// logits (N,K), targets (N,K), weights (N) -> loss (1) = sum_n weights_n * -sum_k targets_nk log p_nk, p (N,K) =
/// softmax(logits). Label smoothing and mixing live in the targets; the mean, class weights and padding rows in the weights.
struct SoftmaxCrossEntropy {};

/// logits (N,K), targets (N,K) each in [0,1], weights (N) -> loss (1) = sum_n weights_n * -sum_k [targets_nk log p_nk +
/// (1 - targets_nk) log(1 - p_nk)], p (N,K) = 1 / (1 + exp(-logits)): K questions of yes or no, each answered for itself.
struct SigmoidBinaryCrossEntropy {};

// ---- backward --------------------------------------------------------------------------------------------------

/// dy (N,H',W',K), w (K,C,R,S), [a (like dx)], [s (like dx)] -> dx of shape `input`. With another Precision, dy and w are
/// rounded. If `adds`, a is added: what reaches x by other ways. If `by_slope`, the sum is multiplied by s: the derivative of the
/// activation that made x, as an Activate or Conv2d keeps it.
struct Conv2dBackwardInput {
  Window window;
  Shape input;
  Precision precision = Precision::kF32;
  bool adds = false;
  bool by_slope = false;
};

/// Which input of it is s.
[[nodiscard]] constexpr std::size_t slope_input(const Conv2dBackwardInput& op) { return op.adds ? 3 : 2; }

/// x (N,H,W,C), dy (N,H',W',K) -> dw (K,C,R,S), [db (K) if `bias`]. With another Precision, x and dy are rounded; what is
/// added up to db is not.
struct Conv2dBackwardWeight {
  Window window;
  bool bias = false;
  Precision precision = Precision::kF32;
};

/// x (N,H,W,C), w (C,1,R,S), dy (N,H',W',C), y (like dy) -> dx, dw, db. All three from one pass: dy is first multiplied by the
/// derivative of `activation` as seen from its output y, and dx by that of `input_activation` as seen from x, its output.
struct DepthwiseConv2dBackward {
  Window window;
  Activation activation = Activation::kNone;
  Activation input_activation = Activation::kNone;
};

/// x, [we, be], wd, bd, wp, [v], dy (like y) -> dx, [dwe, dbe], dwd, dbd, dwp, dbp of `forward`; inner activations are computed
/// anew, but for v. dx is multiplied by the derivative of `input_activation` as seen from x, its output. With another Precision,
/// dy and gradients before both activations are rounded too, as operands; what is added up to a bias is not.
struct InvertedResidualBackward {
  InvertedResidual forward;
  Activation input_activation = Activation::kNone;
};

/// x, [we, ge, be], wd, gd, bd, wp, v, [me, se], md, sd, dy (like y) -> dx, [dwe, dge, dbe], dwd, dgd, dbd, dwp of `forward`, of
/// which v and the statistics are outputs. What lies before v is computed anew; me and se are what they are of x and we, so who
/// needs more of x's statistics may compute them too. With another Precision, v (rounded already where forward made it), dy, the
/// gradient that reaches v, the one before the first activation and the one before its normalisation are rounded too.
struct InvertedResidualTrainBackward {
  InvertedResidualTrain forward;
};

/// dy (N,K), w (K,C) -> dx (N,C).
struct LinearBackwardInput {};

/// x (N,C), dy (N,K) -> dw (K,C), db (K).
struct LinearBackwardWeight {};

/// x, gamma, beta, mean, var, dy -> dx, dgamma (C), dbeta (C): mean and var are the batch's own, outputs of BatchNormTrain.
struct BatchNormTrainBackward {
  float eps = 1e-5F;
  Activation activation = Activation::kNone;
};

/// w, gamma, mean, var, dw', db' -> dw, dgamma, dbeta of FoldBatchNorm.
struct FoldBatchNormBackward {
  float eps = 1e-5F;
};

/// saved, dy -> dx. `saved` is the activation's output for relu and relu6, its input for silu; or, with `by_slope`, the
/// derivative that an Activate keeps: dx = saved dy.
struct ActivateBackward {
  Activation activation = Activation::kRelu;
  bool by_slope = false;
};

/// dy (N,C) -> dx (N,height,width,C).
struct GlobalAveragePoolBackward {
  std::int64_t height = 1;
  std::int64_t width = 1;
};

/// qkv, p, do (N,H,W,heads head_dim), dv (same shape, the gradient reaching v by its second output) -> dqkv.
struct AttentionBackward {
  int heads = 1;
  int key_dim = 32;
  int head_dim = 64;
};

/// p (N,K), targets (N,K), weights (N) -> dlogits (N,K) = weights_n (p sum_k targets_nk - targets).
struct SoftmaxCrossEntropyBackward {};

/// p (N,K), targets (N,K), weights (N) -> dlogits (N,K) = weights_n (p - targets).
struct SigmoidBinaryCrossEntropyBackward {};

using Op =
    std::variant<Conv2d, DepthwiseConv2d, InvertedResidual, InvertedResidualTrain, Linear, BatchNorm, BatchNormTrain,
                 UpdateRunningStatistics, FoldBatchNorm, Activate, Add, Concat, SliceChannels, PadChannels, GlobalAveragePool,
                 Dropout, Attention, Softmax, SoftmaxCrossEntropy, SigmoidBinaryCrossEntropy, Conv2dBackwardInput,
                 Conv2dBackwardWeight, DepthwiseConv2dBackward, InvertedResidualBackward, InvertedResidualTrainBackward,
                 LinearBackwardInput, LinearBackwardWeight, BatchNormTrainBackward, FoldBatchNormBackward, ActivateBackward,
                 GlobalAveragePoolBackward, AttentionBackward, SoftmaxCrossEntropyBackward, SigmoidBinaryCrossEntropyBackward>;

/// The name of the struct: "Conv2d".
[[nodiscard]] std::string_view name_of(const Op& op);

/// Of a dense convolution's products, in either direction; kF32 of any other op.
[[nodiscard]] Precision convolution_precision(const Op& op);

/// Which input of a block's node, of either pass, is wd.
[[nodiscard]] constexpr std::size_t depthwise_weight(const InvertedResidual& op) { return op.expands ? 3 : 1; }
[[nodiscard]] constexpr std::size_t depthwise_weight(const InvertedResidualTrain& op) { return op.expands ? 4 : 1; }
/// And of a backward pass, md; sd and dy follow, and before it lie v and, where x is expanded, me and se.
[[nodiscard]] constexpr std::size_t depthwise_mean(const InvertedResidualTrain& op) { return op.expands ? 11 : 6; }

/// Visitor from lambdas; a missing case does not compile.
template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace fovea::graph
