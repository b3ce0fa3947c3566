// SPDX-License-Identifier: Apache-2.0
#include "model/model_file.h"

#include <algorithm>
#include <future>
#include <map>

#include "core/error.h"
#include "format/checksum.h"
#include "format/safetensors.h"
#include "model/model_card.h"
#include "model/registry.h"
#include "model/ultralytics.h"
#include "model/weights.h"

namespace fovea {
namespace {

/// Parameters of the described network, filled from the file; nothing may be missing or left over.
Result<ParameterSet> load_parameters(const WeightFile& file, const NetworkSpec& spec) {
  auto graph = build_network(spec);
  if (!graph) return fail(graph.error().kind, "{}: {}", file.source(), graph.error().message);
  ParameterSet parameters(*graph);
  FOVEA_ASSIGN(const std::vector<std::string> left, fill_parameters(file, spec, parameters));
  if (!left.empty())
    return fail(Error::Kind::kFormat, "{}: tensor '{}' is missing or does not fit the number of classes", file.source(),
                left.front());
  return parameters;
}

constexpr const char* kChecksumField = "checksum";

/// Of everything but itself: a changed bit in a weight or a class name would show as a wrong answer and nothing else.
std::string model_checksum(std::span<const StoredTensor> tensors, const std::map<std::string, std::string>& card) {
  std::string text;
  for (const auto& [field, value] : card) {
    if (field != kChecksumField) text += fmt::format("{}={}\n", field, value);
  }
  return checksum_of(tensors, text);
}

/// Older files have none.
Result<void> check_checksum(const WeightFile& file) {
  const auto found = file.metadata().find(kChecksumField);
  if (found == file.metadata().end() || found->second == model_checksum(file.tensors(), file.metadata())) return {};
  return fail(
      Error::Kind::kFormat,
      "{}: is damaged: its bytes are not those that were written; take a copy that is whole, or train again (if it was changed "
      "on purpose, leave '{}' out of its metadata)",
      file.source(), kChecksumField);
}

Result<Model> load_own(const WeightFile& file) {
  // Meanwhile, on a thread of its own if there is one to be had: reading and comparing take the same few milliseconds.
  auto checked = std::async([&file] { return check_checksum(file); });
  FOVEA_ASSIGN(Model model, read_model_card(file));
  FOVEA_ASSIGN(model.parameters, load_parameters(file, model.spec));
  if (model.rejection) {
    FOVEA_ASSIGN(const graph::Graph graph, build_network(model.spec));
    const Shape features = graph.shape(*graph.output("features"));
    FOVEA_TRY(read_rejection_tensors(file, features[1], *model.rejection));
  }
  for (const StoredTensor& tensor : file.tensors()) {
    if (model.rejection && is_rejection_tensor(tensor.name)) continue;
    if (model.parameters.find(tensor.name) == nullptr) {
      return fail(Error::Kind::kFormat, "{}: tensor '{}' has no place in {}", file.source(), printable(tensor.name),
                  model.architecture);
    }
  }
  FOVEA_TRY(checked.get());  // last, for what is wrong can mostly be said better
  return model;
}

Result<Model> load_ultralytics(const WeightFile& file) {
  FOVEA_ASSIGN(UltralyticsModel found, read_ultralytics(file));
  Model model;
  model.architecture = std::move(found.architecture);
  model.spec = found.spec;
  model.classes = std::move(found.classes);
  model.preprocess = found.preprocess;
  model.provenance = {
      {"source", "an Ultralytics checkpoint"}, {"version", file.torch()->version}, {"license", file.torch()->license}};
  FOVEA_ASSIGN(model.parameters, load_parameters(file, model.spec));
  return model;
}

/// A file that load_model would refuse is not written.
Result<void> check_agreement(const Model& model, const std::filesystem::path& path) {
  if (static_cast<std::int64_t>(model.classes.size()) != model.spec.classes) {
    return fail(Error::Kind::kUsage, "{}: {} class names for a network of {} classes", path.string(), model.classes.size(),
                model.spec.classes);
  }
  if (model.multi_label() && model.thresholds.size() != model.classes.size()) {
    return fail(Error::Kind::kUsage, "{}: {} thresholds for {} classes", path.string(), model.thresholds.size(),
                model.classes.size());
  }
  if (model.preprocess.height != model.spec.height || model.preprocess.width != model.spec.width) {
    return fail(Error::Kind::kUsage, "{}: preprocessing to {}x{} for a network of {}x{}", path.string(), model.preprocess.height,
                model.preprocess.width, model.spec.height, model.spec.width);
  }
  if (auto valid = validate(model.spec); !valid) return fail(valid.error().kind, "{}: {}", path.string(), valid.error().message);
  return {};
}

}  // namespace

bool is_model(const WeightFile& file) { return has_model_card(file) || is_ultralytics(file); }

Result<Model> load_model(const std::filesystem::path& path) {
  FOVEA_ASSIGN(const WeightFile file, open_weights(path));
  if (has_model_card(file)) return load_own(file);
  if (is_ultralytics(file)) return load_ultralytics(file);
  return fail(
      Error::Kind::kFormat,
      "{}: holds weights but no model: class names and preprocessing are missing; train one from it with 'fovea train --weights'",
      file.source());
}

Result<void> save_model(const Model& model, const std::filesystem::path& path) {
  FOVEA_TRY(check_agreement(model, path));
  std::vector<StoredTensor> tensors;
  for (const ParameterSet::Entry& entry : model.parameters.entries()) {
    const auto extents = entry.shape.extents();
    tensors.push_back({entry.name, DType::kF32, {extents.begin(), extents.end()}, std::as_bytes(model.parameters.values(entry))});
  }
  if (model.rejection) {
    for (StoredTensor& tensor : rejection_tensors(*model.rejection)) tensors.push_back(std::move(tensor));
  }
  std::map<std::string, std::string> card = write_model_card(model);
  card[kChecksumField] = model_checksum(tensors, card);
  return write_safetensors(path, tensors, card);
}

}  // namespace fovea
