// SPDX-License-Identifier: Apache-2.0
#include "model/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "model/network_builder.h"

namespace fovea {
namespace {

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<NetworkFamily, 3> kFamilies{{{NetworkFamily::kMobileNetV2, "mobilenet_v2"},
                                             {NetworkFamily::kEfficientNetLite, "efficientnet_lite"},
                                             {NetworkFamily::kYolo11Cls, "yolo11_cls"}}};
constexpr Names<PaddingStyle, 2> kPaddings{{{PaddingStyle::kSymmetric, "symmetric"}, {PaddingStyle::kSame, "same"}}};
constexpr Names<HeadStyle, 2> kHeads{{{HeadStyle::kLinear, "linear"}, {HeadStyle::kConv, "conv"}}};

template <class Enum, std::size_t N>
std::string_view name_in(const Names<Enum, N>& names, Enum value) {
  return std::ranges::find(names, value, [](const auto& entry) { return entry.first; })->second;
}

template <class Enum, std::size_t N>
std::optional<Enum> find_in(const Names<Enum, N>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name, [](const auto& entry) { return entry.second; });
  return found == names.end() ? std::nullopt : std::optional(found->first);
}

template <class Number>
Result<void> within(std::string_view field, Number value, Number low, Number high) {
  if (value >= low && value <= high) return {};
  return fail(Error::Kind::kLimit, "{} is {}, expected {} to {}", field, value, low, high);
}

Result<NetworkBuilder> build(const NetworkSpec& spec, const BuildOptions& options) {
  FOVEA_TRY(validate(spec));
  FOVEA_TRY(within("batch", options.batch, 1, 65536));
  NetworkBuilder builder(spec, options);
  const graph::ValueId image = builder.image();
  switch (spec.family) {
    case NetworkFamily::kMobileNetV2: builder.add_head(build_mobilenet_v2(builder, image)); break;
    case NetworkFamily::kEfficientNetLite: builder.add_head(build_efficientnet_lite(builder, image)); break;
    case NetworkFamily::kYolo11Cls: builder.add_head(build_yolo11_cls(builder, image)); break;
  }
  FOVEA_TRY(builder.graph().status());
  return builder;
}

/// The unbiased variance of a single value is 0 / 0.
Result<void> check_live_statistics(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes()) {
    const auto* update = std::get_if<graph::UpdateRunningStatistics>(&node.op);
    if (update != nullptr && update->count < 2) {
      return fail(Error::Kind::kUsage,
                  "live BatchNorm needs more than one value a channel: use a larger batch or input, or frozen statistics");
    }
  }
  return {};
}

}  // namespace

std::string_view name_of(NetworkFamily family) { return name_in(kFamilies, family); }
std::optional<NetworkFamily> family_from(std::string_view name) { return find_in(kFamilies, name); }
std::string_view name_of(PaddingStyle padding) { return name_in(kPaddings, padding); }
std::optional<PaddingStyle> padding_from(std::string_view name) { return find_in(kPaddings, name); }
std::string_view name_of(HeadStyle head) { return name_in(kHeads, head); }
std::optional<HeadStyle> head_from(std::string_view name) { return find_in(kHeads, name); }

Result<void> validate(const NetworkSpec& spec) {
  using L = NetworkLimits;
  FOVEA_TRY(within("height", spec.height, L::kMinSide, L::kMaxSide));
  FOVEA_TRY(within("width", spec.width, L::kMinSide, L::kMaxSide));
  FOVEA_TRY(within("classes", spec.classes, 1, L::kMaxClasses));
  FOVEA_TRY(within("bn_eps", spec.bn_eps, 1e-8, 1e-1));
  FOVEA_TRY(within("bn_momentum", spec.bn_momentum, 0.0, 1.0));
  FOVEA_TRY(within("dropout", spec.dropout, 0.0, 0.95));
  FOVEA_TRY(within("head_channels", spec.head_channels, 1, L::kMaxHeadChannels));
  const bool mobilenet = spec.family == NetworkFamily::kMobileNetV2;
  FOVEA_TRY(within("size", spec.size, 0, mobilenet ? 0 : L::kMaxSize));
  FOVEA_TRY(within("width_multiplier", spec.width_multiplier, mobilenet ? L::kMinMultiplier : 1.0,
                   mobilenet ? L::kMaxMultiplier : 1.0));
  if (spec.family == NetworkFamily::kYolo11Cls && spec.padding != PaddingStyle::kSymmetric) {
    return fail(Error::Kind::kLimit, "padding is {}, expected symmetric: yolo11_cls knows no other", name_of(spec.padding));
  }
  return {};
}

Result<graph::Graph> build_network(const NetworkSpec& spec, const BuildOptions& options) {
  FOVEA_ASSIGN(NetworkBuilder builder, build(spec, options));
  FOVEA_TRY(check_live_statistics(builder.graph()));
  return std::move(builder.graph());
}

Result<std::vector<std::vector<std::string>>> parameters_by_stage(const NetworkSpec& spec) {
  FOVEA_ASSIGN(NetworkBuilder builder, build(spec, {}));
  return std::move(builder.stages());
}

std::string_view classifier_name(const NetworkSpec& spec) {
  if (spec.head == HeadStyle::kConv) return "head.fc";
  switch (spec.family) {
    case NetworkFamily::kMobileNetV2: return "classifier.1";
    case NetworkFamily::kEfficientNetLite: return "_fc";
    case NetworkFamily::kYolo11Cls: return "model.10.linear";
  }
  return {};
}

bool in_head(const NetworkSpec& spec, std::string_view tensor) {
  const std::string classifier = std::string(classifier_name(spec)) + '.';
  return tensor.starts_with("head.") || tensor.starts_with(classifier);
}

}  // namespace fovea
