// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "core/error.h"
#include "data/dataset.h"
#include "data/text.h"
#include "format/weights.h"
#include "fovea/inspect.h"
#include "image/decode.h"
#include "model/model_file.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

std::string_view name_of(Layout layout) {
  switch (layout) {
    case Layout::kClassFolders: return "a folder per class";
    case Layout::kSplitFolders: return "train/val folders";
    case Layout::kCsv: return "CSV";
  }
  return "?";
}

Result<Description> describe_photos(const fs::path& path) {
  FOVEA_ASSIGN(const Dataset dataset, scan_dataset(path));
  PhotosDescription description;
  description.layout = name_of(dataset.layout);
  const auto train = count_per_class(dataset.train, dataset.class_count());
  const auto val = count_per_class(dataset.val, dataset.class_count());
  const auto test = count_per_class(dataset.test, dataset.class_count());
  for (std::size_t i = 0; i < dataset.classes.size(); ++i)
    description.classes.push_back({dataset.classes[i], train[i], val[i], test[i]});
  description.notes = dataset.notes;
  return Description(std::move(description));
}

Result<Description> describe_model(const fs::path& path) {
  FOVEA_ASSIGN(const Model model, load_model(path));
  ModelDescription description;
  description.architecture = model.architecture;
  description.classes = model.classes;
  description.height = model.preprocess.height;
  description.width = model.preprocess.width;
  description.fit = name_of(model.preprocess.fit);
  description.filter = name_of(model.preprocess.filter);
  for (const auto& entry : model.parameters.entries()) {
    if (entry.role == graph::Role::kParameter) description.parameters += entry.shape.elements();
  }
  description.bytes = fs::file_size(path);
  if (const auto& rejection = model.rejection) {
    description.rejection = ModelDescription::Rejection{rejection->threshold, rejection->known_rejected, rejection->known_photos,
                                                        rejection->measured_on};
  }
  description.thresholds = model.thresholds;
  description.provenance = model.provenance;
  return Description(std::move(description));
}

Description describe_weights(const fs::path& path, const WeightFile& file) {
  WeightsDescription description;
  description.format = file.torch() != nullptr ? "PyTorch" : "safetensors";
  for (const StoredTensor& tensor : file.tensors()) {
    description.tensors.push_back({tensor.name, std::string(fovea::name_of(tensor.dtype)), tensor.extents});
    description.elements += static_cast<std::int64_t>(tensor.elements());
  }
  description.bytes = fs::file_size(path);
  description.metadata.assign(file.metadata().begin(), file.metadata().end());
  description.not_a_model = "no class names and preprocessing: train from it with 'fovea train --weights'";
  return description;
}

Result<Description> describe_photo(const fs::path& path, Bytes bytes) {
  const auto info = read_image_info(bytes);
  if (!info) return fail(info.error().kind, "{}: {}", path.string(), info.error().message);
  return Description(
      PhotoDescription{std::string(fovea::name_of(info->format)), info->width, info->height, info->orientation, bytes.size()});
}

}  // namespace

Result<Description> describe(const fs::path& name) {
  const fs::path path = weights_path(name);
  std::error_code ignored;
  if (fs::is_directory(path, ignored) || lower_case(path.extension().native()) == ".csv") return describe_photos(path);
  FOVEA_ASSIGN(const MappedFile mapped, MappedFile::open(path));
  if (sniff(mapped.bytes())) return describe_photo(path, mapped.bytes());
  const auto file = parse_weights(mapped.bytes(), path.string());
  if (file) return is_model(*file) ? describe_model(path) : Result<Description>(describe_weights(path, *file));
  const bool named_weights = std::ranges::find(kWeightExtensions, path.extension().string()) != kWeightExtensions.end();
  return fail(file.error().kind, "{}{}", file.error().message, named_weights ? "" : ", a photo, or a folder of photos");
}

}  // namespace fovea
