// Fovea: from a model and what it said about photos to what its report shows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "core/context.h"
#include "data/dataset.h"
#include "fovea/evaluate.h"
#include "model/model_file.h"
#include "report/report.h"
#include "runtime/device.h"
#include "train/label_sets.h"
#include "train/metrics.h"
#include "train/photo_rows.h"

namespace fovea::training {

/// The photos that are not named as their label, surest first. `index`: of each row of `predictions`, its place in `samples`.
[[nodiscard]] std::vector<WrongPhoto> wrong_photos(const Predictions& predictions, std::span<const std::int32_t> index,
                                                   std::span<const Sample> samples, std::span<const std::string> classes);

/// `logits` as calibrated, in 15 equal bins of the top probability.
[[nodiscard]] std::vector<report::ReliabilityBin> reliability_bins(const LabelledTable& logits, const Calibration& calibration);

/// Every probability of every label, in 15 equal bins.
[[nodiscard]] std::vector<report::ReliabilityBin> reliability_bins(const LabelSetPredictions& predictions);

/// Thumbnails of the surest `most` of `wrong`, each with its heat map. A photo that cannot be read any more is left out.
Result<std::vector<report::Mistake>> picture_mistakes(const Context& context, const Backend& backend, Model& model,
                                                      std::span<const WrongPhoto> wrong, std::size_t most);

/// Everything that follows from the model and its logits on these photos; figures of the run are the caller's. `samples`: what
/// the index of `logits` counts.
Result<report::Input> report_input(const Context& context, const Device& device, Model& model, const std::filesystem::path& path,
                                   const LabelledTable& logits, std::span<const Sample> samples, Evaluation evaluation);

/// What any report says about the model and the machine.
[[nodiscard]] report::Input model_facts(const Context& context, const Device& device, const Model& model,
                                        const std::filesystem::path& path);

}  // namespace fovea::training
