// SPDX-License-Identifier: Apache-2.0
#include "model/ultralytics.h"

#include <algorithm>

#include "core/error.h"
#include "model/registry.h"

namespace fovea {
namespace {

Error refuse(const WeightFile& file, std::string_view reason) {
  return fail(Error::Kind::kUnsupported, "{}: {}", file.source(), reason);
}

/// The network whose stem and blocks have the file's widths and depth: first filters, end of the backbone, C3k in layer 2, a
/// second inner block.
Result<int> size_of_network(const WeightFile& file) {
  struct Widths {
    std::int64_t stem;
    std::int64_t end;
    bool c3k;
    bool deep;
  };
  constexpr Widths kSizes[] = {
      {16, 256, false, false}, {32, 512, false, false}, {64, 512, true, false}, {64, 512, true, true}, {96, 768, true, true}};
  const auto outputs = [&](std::string_view name) {
    const StoredTensor* tensor = file.find(name);
    return tensor == nullptr || tensor->extents.empty() ? std::int64_t{0} : tensor->extents[0];
  };
  const Widths found{outputs("model.0.conv.weight"), outputs("model.9.cv2.conv.weight"),
                     file.find("model.2.m.0.cv3.conv.weight") != nullptr, file.find("model.2.m.1.cv1.conv.weight") != nullptr};
  for (std::size_t i = 0; i < std::size(kSizes); ++i) {
    const Widths& w = kSizes[i];
    if (w.stem == found.stem && w.end == found.end && w.c3k == found.c3k && w.deep == found.deep) return static_cast<int>(i);
  }
  return refuse(file, "is no YOLO11 classification network of size n, s, m, l or x");
}

Result<std::vector<std::string>> class_names(const WeightFile& file, std::int64_t classes) {
  const std::vector<std::string>& names = file.torch()->class_names;
  if (static_cast<std::int64_t>(names.size()) == classes) {
    std::vector<std::string> shown;
    for (const std::string& name : names) shown.push_back(printable(name, name.size()));  // they are printed on a line
    return shown;
  }
  return fail(Error::Kind::kFormat, "{}: 'names' holds {} class names, expected {}, the rows of model.10.linear.weight",
              file.source(), names.size(), classes);
}

}  // namespace

bool is_ultralytics(const WeightFile& file) {
  return file.torch() != nullptr && file.torch()->model_class.starts_with("ultralytics.");
}

Result<UltralyticsModel> read_ultralytics(const WeightFile& file) {
  const TorchFacts& facts = *file.torch();
  const StoredTensor* linear = file.find("model.10.linear.weight");
  if ((!facts.task.empty() && facts.task != "classify") || linear == nullptr || linear->extents.size() != 2) {
    return refuse(file, fmt::format("is a checkpoint for '{}', expected one for classification",
                                    facts.task.empty() ? "another task" : printable(facts.task)));
  }
  FOVEA_ASSIGN(const int size, size_of_network(file));
  const std::int64_t classes = linear->extents[0];
  if (classes < 1 || classes > NetworkLimits::kMaxClasses)
    return refuse(file, fmt::format("has {} classes, expected 1 to {}", classes, NetworkLimits::kMaxClasses));

  UltralyticsModel model;
  model.spec = {.family = NetworkFamily::kYolo11Cls,
                .size = size,
                .classes = static_cast<int>(classes),
                .padding = PaddingStyle::kSymmetric,
                .bn_eps = 1e-5,
                .bn_momentum = 0.1,
                .dropout = 0};
  if (!facts.batch_norms.empty()) {
    model.spec.bn_eps = facts.batch_norms.front().eps;
    model.spec.bn_momentum = facts.batch_norms.front().momentum;
    if (std::ranges::any_of(facts.batch_norms, [&](const auto& norm) { return norm.eps != model.spec.bn_eps; })) {
      return refuse(file, "has BatchNorm layers of different eps");
    }
  }
  if (!facts.image_size.empty()) {
    const auto side = [](std::int64_t value) { return static_cast<int>(std::clamp<std::int64_t>(value, 0, 1 << 20)); };
    model.spec.height = side(facts.image_size.front());
    model.spec.width = side(facts.image_size.back());
  }
  if (auto valid = validate(model.spec); !valid) return fail(Error::Kind::kLimit, "{}: {}", file.source(), valid.error().message);
  FOVEA_ASSIGN(model.classes, class_names(file, classes));
  model.architecture = architecture_name(model.spec);
  model.preprocess = default_preprocess(model.spec);
  // Its own pipeline: shorter side to the input side, centre cut out; a rectangle is scaled to straight away.
  model.preprocess.fit = model.spec.height == model.spec.width ? Fit::kCrop : Fit::kSquash;
  model.preprocess.crop_fraction = 1;
  model.preprocess.filter = Filter::kBilinear;
  return model;
}

}  // namespace fovea
