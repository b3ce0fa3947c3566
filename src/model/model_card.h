// Fovea: the metadata of a model file: everything about a model but its tensors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "format/weights.h"
#include "model/model_file.h"

namespace fovea {

/// The version of the format that this program writes, and the newest it reads.
inline constexpr int kModelFormatVersion = 1;

/// Whether the metadata claims to be a Fovea model.
[[nodiscard]] bool has_model_card(const WeightFile& file);

/// Text fields, the structured ones as JSON: "fovea_model" (format version), "architecture", "network", "classes", "preprocess",
/// "calibration", "provenance"; "rejection" where the model has it; "thresholds", one per class, of a model for photos with any
/// number of labels; "seen", marks of the photos that made the model.
[[nodiscard]] std::map<std::string, std::string> write_model_card(const Model& model);

/// A model without its parameters. Every field but "provenance", "rejection", "seen" and "thresholds" is required, and all are
/// checked: kFormat or kLimit name file, field and reason.
Result<Model> read_model_card(const WeightFile& file);

}  // namespace fovea
