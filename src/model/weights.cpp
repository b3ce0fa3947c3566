// SPDX-License-Identifier: Apache-2.0
#include "model/weights.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "model/model_card.h"
#include "model/registry.h"
#include "model/ultralytics.h"

namespace fovea {
namespace {

/// A number in a text field of the metadata, within bounds.
Result<double> number(const WeightFile& file, std::string_view field, std::string_view text, double low, double high) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= low && value <= high) return value;
  return fail(Error::Kind::kFormat, "{}: metadata '{}' is '{}', expected a number from {} to {}", file.source(), field,
              printable(text), low, high);
}

Result<std::array<float, 3>> triple(const WeightFile& file, std::string_view field, std::string_view text, double low,
                                    double high) {
  std::array<float, 3> values{};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != (i == 2))
      return fail(Error::Kind::kFormat, "{}: metadata '{}' needs three numbers", file.source(), field);
    FOVEA_ASSIGN(const double value, number(file, field, text.substr(0, comma), low, high));
    values[i] = static_cast<float>(value);
    text.remove_prefix(i == 2 ? 0 : comma + 1);
  }
  return values;
}

/// What the file's metadata states replaces what the published weights have.
Result<void> apply_metadata(const WeightFile& file, NetworkSpec& spec, Preprocess& preprocess) {
  const auto& metadata = file.metadata();
  const auto with = [&](const char* field, const auto& use) -> Result<void> {
    const auto found = metadata.find(field);
    return found == metadata.end() ? Result<void>() : use(std::string_view(found->second));
  };
  const auto to_number = [&](const char* field, double low, double high, double& out) {
    return with(field, [&](std::string_view text) -> Result<void> {
      FOVEA_ASSIGN(out, number(file, field, text, low, high));
      return {};
    });
  };
  const auto to_triple = [&](const char* field, double low, double high, std::array<float, 3>& out) {
    return with(field, [&](std::string_view text) -> Result<void> {
      FOVEA_ASSIGN(out, triple(file, field, text, low, high));
      return {};
    });
  };
  FOVEA_TRY(with("padding", [&](std::string_view text) -> Result<void> {
    const auto style = padding_from(text.starts_with("tf_") ? text.substr(3) : text);
    if (!style)
      return fail(Error::Kind::kFormat, "{}: metadata 'padding' is '{}', expected same or symmetric", file.source(),
                  printable(text));
    spec.padding = *style;
    preprocess = default_preprocess(spec);
    return {};
  }));
  FOVEA_TRY(to_number("bn_eps", 1e-8, 1e-1, spec.bn_eps));
  FOVEA_TRY(to_number("bn_momentum", 0, 1, spec.bn_momentum));
  FOVEA_TRY(to_triple("mean", -1, 1, preprocess.mean));
  FOVEA_TRY(to_triple("std", 1e-3, 10, preprocess.std));
  FOVEA_TRY(with("resize", [&](std::string_view text) -> Result<void> {
    const auto filter = filter_from(text);
    if (!filter)
      return fail(Error::Kind::kFormat, "{}: metadata 'resize' is '{}', expected bilinear or bicubic", file.source(),
                  printable(text));
    preprocess.filter = *filter;
    return {};
  }));
  double side = spec.height;
  FOVEA_TRY(to_number("input", NetworkLimits::kMinSide, NetworkLimits::kMaxSide, side));
  spec.height = spec.width = preprocess.height = preprocess.width = static_cast<int>(side);
  return {};
}

/// Files of other programs may put a prefix before every name.
const StoredTensor* find_tensor(const WeightFile& file, const std::string& name) {
  for (const char* prefix :
       {"", "module.", "model.", "backbone.", "state_dict.", "model.module.", "module.model.", "state_dict.module."}) {
    if (const StoredTensor* tensor = file.find(prefix + name)) return tensor;
  }
  return nullptr;
}

/// Whether the photos of a model have shaped more than its last layer, or those of the model have that it was made from.
bool moved_backbone(const Model& model) {
  return std::ranges::any_of(model.provenance, [](const auto& entry) {
    return (entry.first == "stage" && entry.second != "head") || entry.first == kWeightsOfPhotos;
  });
}

}  // namespace

Result<Backbone> open_backbone(const std::filesystem::path& path, std::string_view architecture) {
  FOVEA_ASSIGN(Architecture known, find_architecture(architecture));
  FOVEA_ASSIGN(WeightFile file, open_weights(path));
  const auto stated = file.metadata().find("architecture");
  if (stated != file.metadata().end() && stated->second != known.name) {
    return fail(Error::Kind::kUsage, "{}: holds {}, asked for {}: name the right one with --arch", file.source(),
                printable(stated->second), known.name);
  }
  Backbone backbone{known.name, known.spec, known.preprocess, std::move(file), {}};
  if (has_model_card(backbone.file)) {
    FOVEA_ASSIGN(const Model model, read_model_card(backbone.file));
    backbone.spec = model.spec;
    backbone.preprocess = model.preprocess;
    if (moved_backbone(model)) backbone.seen = model.seen;
    return backbone;
  }
  if (is_ultralytics(backbone.file)) {
    FOVEA_ASSIGN(const UltralyticsModel model, read_ultralytics(backbone.file));
    if (model.architecture != known.name) {
      return fail(Error::Kind::kUsage, "{}: holds {}, asked for {}: name the right one with --arch", backbone.file.source(),
                  model.architecture, known.name);
    }
    backbone.spec = model.spec;
    backbone.preprocess = model.preprocess;
    return backbone;
  }
  FOVEA_TRY(apply_metadata(backbone.file, backbone.spec, backbone.preprocess));
  if (const StoredTensor* classifier = find_tensor(backbone.file, std::string(classifier_name(backbone.spec)) + ".weight")) {
    if (!classifier->extents.empty() && classifier->extents[0] > 0 && classifier->extents[0] <= NetworkLimits::kMaxClasses) {
      backbone.spec.classes = static_cast<int>(classifier->extents[0]);
    }
  }
  return backbone;
}

Result<std::vector<std::string>> fill_parameters(const WeightFile& file, const NetworkSpec& spec, ParameterSet& parameters) {
  std::vector<std::string> left;
  for (const ParameterSet::Entry& entry : parameters.entries()) {
    const bool head = in_head(spec, entry.name);
    const StoredTensor* tensor = find_tensor(file, entry.name);
    const bool fits = tensor != nullptr && std::ranges::equal(tensor->extents, entry.shape.extents());
    if (head && !fits) {
      left.push_back(entry.name);
      continue;
    }
    if (tensor == nullptr)
      return fail(Error::Kind::kNotFound, "{}: has no tensor '{}', which {} needs", file.source(), entry.name,
                  architecture_name(spec));
    if (!fits) {
      return fail(Error::Kind::kFormat, "{}: tensor '{}' is {}, expected {}", file.source(), entry.name,
                  to_string(tensor->extents), to_string(entry.shape));
    }
    const std::span<float> values = parameters.values(entry);
    FOVEA_TRY(file.read_f32(*tensor, values));
    if (entry.name.ends_with(".running_var") && std::ranges::any_of(values, [](float value) { return value < 0; })) {
      return fail(Error::Kind::kFormat, "{}: tensor '{}' holds a negative variance", file.source(), entry.name);
    }
  }
  return left;
}

}  // namespace fovea
