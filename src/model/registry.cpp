// SPDX-License-Identifier: Apache-2.0
#include "model/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>

#include "core/error.h"

namespace fovea {
namespace {

constexpr std::string_view kMobileNet = "mobilenet_v2";
constexpr std::string_view kLite = "efficientnet_lite";
constexpr std::string_view kYolo = "yolo11";
constexpr std::string_view kYoloEnd = "-cls";
constexpr std::string_view kYoloSizes = "nsmlx";
constexpr std::string_view kMultipliers[] = {"0.35", "0.5", "0.75", "1.3", "1.4"};

struct LiteDefaults {
  int side;
  double dropout;
};
constexpr LiteDefaults kLiteDefaults[] = {{224, 0.2}, {240, 0.2}, {260, 0.3}, {280, 0.3}, {300, 0.3}};

NetworkSpec mobilenet_spec(double multiplier) {
  return {.family = NetworkFamily::kMobileNetV2,
          .width_multiplier = multiplier,
          .padding = PaddingStyle::kSymmetric,
          .bn_eps = 1e-5,
          .bn_momentum = 0.1,
          .dropout = 0.2};
}

NetworkSpec lite_spec(int size) {
  const auto [side, dropout] = kLiteDefaults[size];
  return {.family = NetworkFamily::kEfficientNetLite,
          .size = size,
          .height = side,
          .width = side,
          .padding = PaddingStyle::kSame,
          .bn_eps = 1e-3,
          .bn_momentum = 0.01,
          .dropout = dropout};
}

NetworkSpec yolo_spec(int size) {
  return {.family = NetworkFamily::kYolo11Cls,
          .size = size,
          .padding = PaddingStyle::kSymmetric,
          .bn_eps = 1e-5,
          .bn_momentum = 0.1,
          .dropout = 0.0};
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<NetworkSpec> parse(std::string_view name) {
  if (name == kMobileNet) return mobilenet_spec(1.0);
  if (name.starts_with(kMobileNet) && name.size() > kMobileNet.size() && name[kMobileNet.size()] == '_') {
    const auto multiplier = number(name.substr(kMobileNet.size() + 1));
    return multiplier ? std::optional(mobilenet_spec(*multiplier)) : std::nullopt;
  }
  if (name.starts_with(kLite) && name.size() == kLite.size() + 1 && name.back() >= '0' && name.back() <= '4') {
    return lite_spec(name.back() - '0');
  }
  if (name.starts_with(kYolo) && name.ends_with(kYoloEnd) && name.size() == kYolo.size() + 1 + kYoloEnd.size()) {
    const auto size = kYoloSizes.find(name[kYolo.size()]);
    if (size != std::string_view::npos) return yolo_spec(static_cast<int>(size));
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names{std::string(kMobileNet)};
  for (const auto multiplier : kMultipliers) names.push_back(fmt::format("{}_{}", kMobileNet, multiplier));
  for (std::size_t size = 0; size < std::size(kLiteDefaults); ++size) names.push_back(fmt::format("{}{}", kLite, size));
  for (const char size : kYoloSizes) names.push_back(fmt::format("{}{}{}", kYolo, size, kYoloEnd));
  return names;
}

std::string architecture_name(const NetworkSpec& spec) {
  const auto size = static_cast<std::size_t>(spec.size);
  switch (spec.family) {
    case NetworkFamily::kMobileNetV2:
      return spec.width_multiplier == 1.0 ? std::string(kMobileNet) : fmt::format("{}_{}", kMobileNet, spec.width_multiplier);
    case NetworkFamily::kEfficientNetLite: return fmt::format("{}{}", kLite, size);
    case NetworkFamily::kYolo11Cls: return fmt::format("{}{}{}", kYolo, kYoloSizes[size], kYoloEnd);
  }
  return {};
}

Preprocess default_preprocess(const NetworkSpec& spec) {
  Preprocess card;
  card.height = spec.height;
  card.width = spec.width;
  switch (spec.family) {
    case NetworkFamily::kMobileNetV2:
      // torchvision's symmetric weights take ImageNet's statistics; TensorFlow's, of padding "same", plain [-1, 1].
      if (spec.padding == PaddingStyle::kSymmetric) {
        card.mean = {0.485F, 0.456F, 0.406F};
        card.std = {0.229F, 0.224F, 0.225F};
      }
      break;
    case NetworkFamily::kEfficientNetLite:
      card.filter = Filter::kBicubic;
      card.mean.fill(127.0F / 255);
      card.std.fill(128.0F / 255);
      break;
    case NetworkFamily::kYolo11Cls:
      card.mean.fill(0);
      card.std.fill(1);
      break;
  }
  return card;
}

Result<Architecture> find_architecture(std::string_view name) {
  const auto spec = parse(name);
  if (!spec) {
    return fail(Error::Kind::kNotFound, "architecture '{}' is not known; there are {}", printable(name),
                fmt::join(architecture_names(), ", "));
  }
  if (auto valid = validate(*spec); !valid) {
    return fail(Error::Kind::kLimit, "architecture '{}': {}", printable(name), valid.error().message);
  }
  return Architecture{architecture_name(*spec), *spec, default_preprocess(*spec)};
}

}  // namespace fovea
