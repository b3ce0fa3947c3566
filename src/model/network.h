// Fovea: what a network is made of, and its graph for a given use.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"
#include "graph/graph.h"

namespace fovea {

enum class NetworkFamily : std::uint8_t { kMobileNetV2, kEfficientNetLite, kYolo11Cls };

/// Where the zeros around a convolution's input go.
enum class PaddingStyle : std::uint8_t {
  kSymmetric,  ///< kernel / 2 on every side, as PyTorch's networks are trained
  kSame,       ///< as little as gives ceil(size / stride), the odd one after: as TensorFlow's networks are trained
};

/// What stands on the backbone's feature map.
enum class HeadStyle : std::uint8_t {
  kLinear,  ///< pool, dropout, dense: the published networks
  kConv,    ///< 3x3 convolution with ReLU, dropout, pool, dense: the classic add-on for a frozen backbone
};

/// Bounds of every number that a file or a person may ask for.
struct NetworkLimits {
  static constexpr int kMinSide = 32;
  static constexpr int kMaxSide = 640;
  static constexpr int kMaxClasses = 100'000;
  static constexpr int kMaxHeadChannels = 4096;
  static constexpr int kMaxSize = 4;
  static constexpr double kMinMultiplier = 0.35;
  static constexpr double kMaxMultiplier = 1.4;
};

/// Everything that decides the shape and the arithmetic of a network; its weights aside.
struct NetworkSpec {
  NetworkFamily family = NetworkFamily::kEfficientNetLite;
  /// EfficientNet-Lite 0 to 4; YOLO11 0 to 4 for n, s, m, l, x; MobileNetV2 0.
  int size = 0;
  /// MobileNetV2's multiplier of channels, 0.35 to 1.4; 1 for the others.
  double width_multiplier = 1.0;
  int classes = 1000;
  int height = 224;
  int width = 224;
  PaddingStyle padding = PaddingStyle::kSame;
  double bn_eps = 1e-3;
  double bn_momentum = 0.01;  ///< share of the new statistics, as PyTorch counts
  double dropout = 0.2;
  HeadStyle head = HeadStyle::kLinear;
  int head_channels = 32;  ///< of the convolution of HeadStyle::kConv

  friend bool operator==(const NetworkSpec&, const NetworkSpec&) = default;
};

[[nodiscard]] std::string_view name_of(NetworkFamily family);
[[nodiscard]] std::optional<NetworkFamily> family_from(std::string_view name);
[[nodiscard]] std::string_view name_of(PaddingStyle padding);
[[nodiscard]] std::optional<PaddingStyle> padding_from(std::string_view name);
[[nodiscard]] std::string_view name_of(HeadStyle head);
[[nodiscard]] std::optional<HeadStyle> head_from(std::string_view name);

/// kLimit with the field, its value and what is allowed.
Result<void> validate(const NetworkSpec& spec);

enum class NormMode : std::uint8_t {
  kFrozen,  ///< stored statistics: for use, and for fine-tuning
  kLive,    ///< the batch's own, and the stored ones follow: training only
};

struct BuildOptions {
  int batch = 1;
  NormMode norm = NormMode::kFrozen;
  /// With NormMode::kLive: the first so many stages keep to their stored statistics.
  int frozen_stages = 0;
  /// Adds inputs "targets" (N,K) and "weights" (N), the output "loss" (1), and the dropouts.
  bool loss = false;
  /// The loss is SigmoidBinaryCrossEntropy: each class a question of its own. Else SoftmaxCrossEntropy.
  bool multi_label = false;
  /// Adds the output "probabilities" (N,K); with multi_label together with the loss only.
  bool probabilities = false;
};

/// The graph from input "image" (N,H,W,3) to the outputs
///   "stage/0" ... "stage/S-1"  (N,h,w,C)  the ends of the blocks; the last is the backbone's end
///   "feature_map"              (N,h,w,C)  that same end
///   "features"                 (N,C)      its mean over h, w; never with dropout
///   "class_map"                (N,h,w,D)  what the last layer sees the mean of: "feature_map", or what a conv head makes of it
///   "logits"                   (N,K)
/// and those that `options` add. Parameters and states are named as in the files of published weights; a conv head's are
/// "head.conv.weight", "head.conv.bias", "head.fc.weight", "head.fc.bias".
/// Fails with kLimit when a number is out of bounds, with kUsage when a live BatchNorm would see a single value.
Result<graph::Graph> build_network(const NetworkSpec& spec, const BuildOptions& options = {});

/// Names of the parameters and states by stage; one entry more than there are stages: the head. With stages 0 to k-1 frozen,
/// "stage/k-1" may be computed once and fed to the rest (graph::cut_inputs).
Result<std::vector<std::vector<std::string>>> parameters_by_stage(const NetworkSpec& spec);

/// "classifier.1", "_fc", "model.10.linear" or "head.fc": the layer whose shape depends on the classes: ".weight" (K,C), ".bias"
/// (K).
[[nodiscard]] std::string_view classifier_name(const NetworkSpec& spec);

/// Whether a tensor belongs to the head: what another number of classes, or another head, makes anew.
[[nodiscard]] bool in_head(const NetworkSpec& spec, std::string_view tensor);

}  // namespace fovea
