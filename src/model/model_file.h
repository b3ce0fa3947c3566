// Fovea: a trained model in one file: safetensors, with everything that use needs in its metadata.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/weights.h"
#include "image/preprocess.h"
#include "model/network.h"
#include "model/probabilities.h"
#include "model/rejection.h"
#include "model/seen_photos.h"
#include "runtime/parameters.h"

namespace fovea {

struct Model {
  std::string architecture;  ///< a name that find_architecture knows
  NetworkSpec spec;
  std::vector<std::string> classes;  ///< spec.classes names, in the order of the logits
  Preprocess preprocess;             ///< its height and width are the spec's
  Calibration calibration;
  std::optional<Rejection> rejection;  ///< none: no photo is rejected
  /// Of photos with any number of labels: the probability from which on each class is answered. Probabilities are then
  /// independent_probabilities_of the logits. Empty: one class a photo.
  std::vector<double> thresholds;
  std::optional<SeenPhotos> seen;  ///< none: not known
  /// Data, recipe, accuracy, program version: key and text, for people.
  std::vector<std::pair<std::string, std::string>> provenance;
  ParameterSet parameters;

  [[nodiscard]] bool multi_label() const { return !thresholds.empty(); }
};

/// Writes the model, or leaves the old file as it is.
Result<void> save_model(const Model& model, const std::filesystem::path& path);

/// A model that save_model wrote, or a classification checkpoint of Ultralytics. A file without what use needs is refused, never
/// guessed at: one line that names file, field and reason.
Result<Model> load_model(const std::filesystem::path& path);

/// Whether an open file claims to be a model rather than bare weights.
[[nodiscard]] bool is_model(const WeightFile& file);

}  // namespace fovea
