// SPDX-License-Identifier: Apache-2.0
//
// Shape inference: one small rule per op, from its signature in ops.h.
#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "graph/graph.h"

namespace fovea::graph {
namespace {

using Shapes = std::vector<Shape>;
using Inferred = Result<Shapes>;

std::string list(std::span<const Shape> shapes) {
  std::string text;
  for (const Shape& shape : shapes) text += (text.empty() ? "" : ", ") + to_string(shape);
  return text;
}

/// What the rules share: the op's name for messages, and the checks.
class Rule {
 public:
  Rule(const Op& op, std::span<const Shape> inputs) : name_(name_of(op)), inputs_(inputs) {}

  [[nodiscard]] Error refuse(std::string_view expected) const {
    return fail(Error::Kind::kUsage, "{}: got shapes ({}), expected {}", name_, list(inputs_), expected);
  }
  [[nodiscard]] bool counts(std::size_t least, std::size_t most) const {
    return inputs_.size() >= least && inputs_.size() <= most;
  }
  [[nodiscard]] bool vectors_of(std::size_t first, std::int64_t length) const {
    for (std::size_t i = first; i < inputs_.size(); ++i) {
      if (inputs_[i] != Shape{length}) return false;
    }
    return true;
  }
  [[nodiscard]] const Shape& operator[](std::size_t i) const { return inputs_[i]; }
  [[nodiscard]] std::span<const Shape> all() const { return inputs_; }
  [[nodiscard]] bool rank(std::size_t i, std::size_t rank) const { return inputs_[i].rank() == rank; }

 private:
  std::string_view name_;
  std::span<const Shape> inputs_;
};

Shape with_channels(const Shape& shape, std::int64_t channels) {
  std::vector<std::int64_t> extents(shape.extents().begin(), shape.extents().end());
  extents.back() = channels;
  return Shape(extents);
}

Shape window_shape(const Window& w, const Shape& x, std::int64_t channels) {
  return {x[0], window_extent(x[1], w.kernel_h, w.stride, w.pad.top, w.pad.bottom),
          window_extent(x[2], w.kernel_w, w.stride, w.pad.left, w.pad.right), channels};
}

bool window_fits(const Window& w, const Shape& x) {
  return w.stride > 0 && x[1] + w.pad.top + w.pad.bottom >= w.kernel_h && x[2] + w.pad.left + w.pad.right >= w.kernel_w;
}

Inferred convolution(const Rule& in, const Window& w, bool depthwise) {
  if (!in.counts(2, 3) || !in.rank(0, 4) || !in.rank(1, 4)) return in.refuse("x (N,H,W,C), w of rank 4, [b]");
  const std::int64_t channels = in[0][3];
  const std::int64_t outputs = in[1][0];
  const Shape weight{depthwise ? channels : outputs, depthwise ? 1 : channels, w.kernel_h, w.kernel_w};
  if (in[1] != weight) return in.refuse("w of shape " + to_string(weight));
  if (!in.vectors_of(2, outputs)) return in.refuse("a bias per output channel");
  if (!window_fits(w, in[0])) return in.refuse("an input no smaller than the window");
  return Shapes{window_shape(w, in[0], outputs)};
}

Inferred conv_backward_input(const Rule& in, const Conv2dBackwardInput& op) {
  const std::size_t count = slope_input(op) + (op.by_slope ? 1 : 0);
  if (!in.counts(count, count) || !in.rank(0, 4) || !in.rank(1, 4) || op.input.rank() != 4)
    return in.refuse("dy (N,H',W',K), w (K,C,R,S), and as many like dx as the op says");
  if (std::ranges::any_of(in.all().subspan(2), [&](const Shape& shape) { return shape != op.input; }))
    return in.refuse("what is added, and slopes, of shape " + to_string(op.input));
  if (in[1] != Shape{in[0][3], op.input[3], op.window.kernel_h, op.window.kernel_w}) return in.refuse("w between dx and dy");
  if (in[0] != window_shape(op.window, op.input, in[0][3]))
    return in.refuse("dy as the window makes it of " + to_string(op.input));
  return Shapes{op.input};
}

Inferred conv_backward_weight(const Rule& in, const Conv2dBackwardWeight& op) {
  if (!in.counts(2, 2) || !in.rank(0, 4) || !in.rank(1, 4)) return in.refuse("x (N,H,W,C), dy (N,H',W',K)");
  const std::int64_t outputs = in[1][3];
  if (in[1] != window_shape(op.window, in[0], outputs)) return in.refuse("dy as the window makes it of x");
  Shapes out{Shape{outputs, in[0][3], op.window.kernel_h, op.window.kernel_w}};
  if (op.bias) out.push_back(Shape{outputs});
  return out;
}

Inferred depthwise_backward(const Rule& in, const DepthwiseConv2dBackward& op) {
  if (!in.counts(4, 4) || !in.rank(0, 4)) return in.refuse("x, w, dy, y");
  const std::int64_t channels = in[0][3];
  if (in[1] != Shape{channels, 1, op.window.kernel_h, op.window.kernel_w}) return in.refuse("w (C,1,R,S)");
  if (in[2] != window_shape(op.window, in[0], channels) || in[3] != in[2])
    return in.refuse("dy and y as the window makes them of x");
  return Shapes{in[0], in[1], Shape{channels}};
}

Inferred inverted_residual(const Rule& in, const InvertedResidual& op, bool backward) {
  const std::size_t first = op.expands ? 3 : 1;  // wd
  const std::size_t count = first + 4 + (backward && op.keeps_expanded ? 1 : 0);
  if (!in.counts(count, count) || !in.rank(0, 4)) return in.refuse("x (N,H,W,C), [we, be], wd, bd, wp, and bp, or [v] and dy");
  const std::int64_t inner = in[first][0], outputs = in[first + 2][0], channels = in[0][3];
  if (op.expands && (in[1] != Shape{inner, channels, 1, 1} || in[2] != Shape{inner})) return in.refuse("we (E,C,1,1), be (E)");
  if (!op.expands && inner != channels) return in.refuse("as many inner channels as x has");
  if (in[first] != Shape{inner, 1, op.window.kernel_h, op.window.kernel_w} || in[first + 1] != Shape{inner})
    return in.refuse("wd (E,1,R,S), bd (E)");
  if (in[first + 2] != Shape{outputs, inner, 1, 1}) return in.refuse("wp (K,E,1,1)");
  if (!window_fits(op.window, in[0])) return in.refuse("an input no smaller than the window");
  const Shape y = window_shape(op.window, in[0], outputs);
  if (op.residual && y != in[0]) return in.refuse("an output like x, to which x is added");
  if (in[count - 1] != (backward ? y : Shape{outputs})) return in.refuse(backward ? "dy like y" : "bp (K)");
  const Shape v{in[0][0], in[0][1], in[0][2], inner};
  if (op.keeps_expanded && (!op.expands || op.precision != Precision::kBF16))
    return in.refuse("an expansion in bf16, to keep it");
  if (!backward) return op.keeps_expanded ? Shapes{y, v} : Shapes{y};
  if (op.keeps_expanded && in[count - 2] != v) return in.refuse("v (N,H,W,E)");
  Shapes out(in.all().begin(),
             in.all().begin() + static_cast<std::ptrdiff_t>(first + 3));  // gradients, shaped like what they are of
  out.push_back(Shape{outputs});
  return out;
}

Inferred inverted_residual_train(const Rule& in, const InvertedResidualTrain& op, bool backward) {
  const std::size_t wd = op.expands ? 4 : 1;
  const std::size_t md = depthwise_mean(op);
  const std::size_t count = backward ? md + 3 : wd + 4;
  if (!in.counts(count, count) || !in.rank(0, 4) || !in.rank(wd, 4) || !in.rank(wd + 3, 4))
    return in.refuse("x (N,H,W,C), [we, ge, be], wd, gd, bd, wp, and backward v, [me, se], md, sd, dy");
  const std::int64_t inner = in[wd][0], outputs = in[wd + 3][0], channels = in[0][3];
  const Shape vector{inner};
  if (op.expands && (in[1] != Shape{inner, channels, 1, 1} || in[2] != vector || in[3] != vector))
    return in.refuse("we (E,C,1,1), ge, be (E)");
  if (!op.expands && inner != channels) return in.refuse("as many inner channels as x has");
  if (in[wd] != Shape{inner, 1, op.window.kernel_h, op.window.kernel_w} || in[wd + 1] != vector || in[wd + 2] != vector)
    return in.refuse("wd (E,1,R,S), gd, bd (E)");
  if (in[wd + 3] != Shape{outputs, inner, 1, 1}) return in.refuse("wp (K,E,1,1)");
  if (!window_fits(op.window, in[0])) return in.refuse("an input no smaller than the window");
  const Shape y = window_shape(op.window, in[0], outputs), v = window_shape(op.window, in[0], inner);
  if (!backward) return op.expands ? Shapes{y, v, vector, vector, vector, vector} : Shapes{y, v, vector, vector};
  const bool statistics = std::all_of(in.all().begin() + static_cast<std::ptrdiff_t>(wd + 5), in.all().end() - 1,
                                      [&](const Shape& shape) { return shape == vector; });
  if (in[wd + 4] != v || !statistics || in[md + 2] != y)
    return in.refuse("v, [me, se], md and sd of the forward pass, dy like y");
  return Shapes(in.all().begin(), in.all().begin() + static_cast<std::ptrdiff_t>(wd + 4));  // what has a gradient has its shape
}

Inferred linear(const Rule& in) {
  if (!in.counts(3, 3) || !in.rank(0, 2) || !in.rank(1, 2) || in[0][1] != in[1][1] || in[2] != Shape{in[1][0]}) {
    return in.refuse("x (N,C), w (K,C), b (K)");
  }
  return Shapes{Shape{in[0][0], in[1][0]}};
}

Inferred per_channel(const Rule& in, std::size_t inputs, Shapes extra) {
  if (!in.counts(inputs, inputs) || in[0].rank() == 0 || !in.vectors_of(1, in[0].back()))
    return in.refuse("x (...,C) and vectors (C)");
  Shapes out{in[0]};
  out.insert(out.end(), extra.begin(), extra.end());
  return out;
}

Inferred batch_norm_backward(const Rule& in) {
  if (!in.counts(6, 6) || in[5] != in[0]) return in.refuse("x, gamma, beta, mean, var, dy");
  for (std::size_t i = 1; i < 5; ++i) {
    if (in[i] != Shape{in[0].back()}) return in.refuse("vectors (C)");
  }
  return Shapes{in[0], in[1], in[1]};
}

Inferred fold(const Rule& in, bool backward) {
  const std::size_t count = backward ? 6 : 5;
  if (!in.counts(count, count) || !in.rank(0, 4)) return in.refuse("a convolution weight and vectors (K)");
  const Shape vector{in[0][0]};
  for (std::size_t i = 1; i < count; ++i) {
    if (in[i] != (backward && i == 4 ? in[0] : vector)) return in.refuse("vectors (K)");
  }
  return backward ? Shapes{in[0], vector, vector} : Shapes{in[0], vector};
}

Inferred same_shapes(const Rule& in, std::size_t count) {
  if (!in.counts(count, count)) return in.refuse("other inputs");
  for (const Shape& shape : in.all()) {
    if (shape != in[0]) return in.refuse("equal shapes");
  }
  return Shapes{in[0]};
}

Inferred concat(const Rule& in) {
  if (!in.counts(1, 64) || in[0].rank() == 0) return in.refuse("1 to 64 inputs");
  std::int64_t channels = 0;
  for (const Shape& shape : in.all()) {
    if (shape.rank() != in[0].rank() || with_channels(shape, 1) != with_channels(in[0], 1))
      return in.refuse("inputs equal but for channels");
    channels += shape.back();
  }
  return Shapes{with_channels(in[0], channels)};
}

Inferred attention(const Rule& in, int heads, int key_dim, int head_dim, bool backward) {
  const std::int64_t width = std::int64_t{heads} * (2 * key_dim + head_dim);
  if (!in.counts(backward ? 4 : 1, backward ? 4 : 1) || !in.rank(0, 4) || in[0][3] != width)
    return in.refuse("qkv with " + std::to_string(width) + " channels");
  const std::int64_t length = in[0][1] * in[0][2];
  const Shape values = with_channels(in[0], std::int64_t{heads} * head_dim);
  const Shape probabilities{in[0][0], heads, length, length};
  if (!backward) return Shapes{values, values, probabilities};
  if (in[1] != probabilities || in[2] != values || in[3] != values) return in.refuse("p, do, dv of the forward pass");
  return Shapes{in[0]};
}

Inferred cross_entropy(const Rule& in, bool backward) {
  if (!in.counts(3, 3) || !in.rank(0, 2) || in[1] != in[0] || in[2] != Shape{in[0][0]}) return in.refuse("(N,K), (N,K), (N)");
  return backward ? Shapes{in[0]} : Shapes{Shape{1}, in[0]};
}

}  // namespace

Inferred infer_shapes(const Op& op, std::span<const Shape> inputs) {
  const Rule in(op, inputs);
  return std::visit(
      Overloaded{
          [&](const Conv2d& o) -> Inferred {
            FOVEA_ASSIGN(const Shapes one, convolution(in, o.window, false));
            return o.keeps_slope ? Inferred(Shapes{one[0], one[0]}) : Inferred(one);
          },
          [&](const DepthwiseConv2d& o) { return convolution(in, o.window, true); },
          [&](const InvertedResidual& o) { return inverted_residual(in, o, false); },
          [&](const InvertedResidualBackward& o) { return inverted_residual(in, o.forward, true); },
          [&](const InvertedResidualTrain& o) { return inverted_residual_train(in, o, false); },
          [&](const InvertedResidualTrainBackward& o) { return inverted_residual_train(in, o.forward, true); },
          [&](const Linear&) { return linear(in); },
          [&](const BatchNorm&) { return per_channel(in, 5, {}); },
          [&](const BatchNormTrain&) {
            if (inputs.empty() || inputs[0].rank() == 0) return Inferred(in.refuse("x, gamma, beta"));
            return per_channel(in, 3, {Shape{inputs[0].back()}, Shape{inputs[0].back()}});
          },
          [&](const UpdateRunningStatistics&) -> Inferred {
            FOVEA_ASSIGN(const Shapes one, same_shapes(in, 2));
            return Inferred(Shapes{one[0], one[0]});
          },
          [&](const FoldBatchNorm&) { return fold(in, false); },
          [&](const Activate& o) -> Inferred {
            FOVEA_ASSIGN(const Shapes one, same_shapes(in, 1));
            return o.keeps_slope ? Inferred(Shapes{one[0], one[0]}) : Inferred(one);
          },
          [&](const Add&) { return same_shapes(in, 2); },
          [&](const Concat&) { return concat(in); },
          [&](const SliceChannels& o) {
            if (!in.counts(1, 1) || in[0].rank() == 0 || o.begin < 0 || o.count < 1 || o.begin + o.count > in[0].back()) {
              return Inferred(in.refuse("channels within the input"));
            }
            return Inferred(Shapes{with_channels(in[0], o.count)});
          },
          [&](const PadChannels& o) {
            if (!in.counts(1, 1) || in[0].rank() == 0 || o.begin < 0 || o.begin + in[0].back() > o.total)
              return Inferred(in.refuse("channels within the total"));
            return Inferred(Shapes{with_channels(in[0], o.total)});
          },
          [&](const GlobalAveragePool&) {
            if (!in.counts(1, 1) || !in.rank(0, 4)) return Inferred(in.refuse("x (N,H,W,C)"));
            return Inferred(Shapes{Shape{in[0][0], in[0][3]}});
          },
          [&](const Dropout&) { return same_shapes(in, 1); },
          [&](const Attention& o) { return attention(in, o.heads, o.key_dim, o.head_dim, false); },
          [&](const Softmax&) { return same_shapes(in, 1); },
          [&](const SoftmaxCrossEntropy&) { return cross_entropy(in, false); },
          [&](const SigmoidBinaryCrossEntropy&) { return cross_entropy(in, false); },
          [&](const Conv2dBackwardInput& o) { return conv_backward_input(in, o); },
          [&](const Conv2dBackwardWeight& o) { return conv_backward_weight(in, o); },
          [&](const DepthwiseConv2dBackward& o) { return depthwise_backward(in, o); },
          [&](const LinearBackwardInput&) {
            if (!in.counts(2, 2) || !in.rank(0, 2) || !in.rank(1, 2) || in[0][1] != in[1][0])
              return Inferred(in.refuse("dy (N,K), w (K,C)"));
            return Inferred(Shapes{Shape{in[0][0], in[1][1]}});
          },
          [&](const LinearBackwardWeight&) {
            if (!in.counts(2, 2) || !in.rank(0, 2) || !in.rank(1, 2) || in[0][0] != in[1][0])
              return Inferred(in.refuse("x (N,C), dy (N,K)"));
            return Inferred(Shapes{Shape{in[1][1], in[0][1]}, Shape{in[1][1]}});
          },
          [&](const BatchNormTrainBackward&) { return batch_norm_backward(in); },
          [&](const FoldBatchNormBackward&) { return fold(in, true); },
          [&](const ActivateBackward&) { return same_shapes(in, 2); },
          [&](const GlobalAveragePoolBackward& o) {
            if (!in.counts(1, 1) || !in.rank(0, 2) || o.height < 1 || o.width < 1) return Inferred(in.refuse("dy (N,C)"));
            return Inferred(Shapes{Shape{in[0][0], o.height, o.width, in[0][1]}});
          },
          [&](const AttentionBackward& o) { return attention(in, o.heads, o.key_dim, o.head_dim, true); },
          [&](const SoftmaxCrossEntropyBackward&) { return cross_entropy(in, true); },
          [&](const SigmoidBinaryCrossEntropyBackward&) { return cross_entropy(in, true); },
      },
      op);
}

}  // namespace fovea::graph
