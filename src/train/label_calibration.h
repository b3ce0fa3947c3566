// Fovea: probabilities of independent labels that mean what they say.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fovea/trainer.h"
#include "train/label_sets.h"

namespace fovea::training {

/// 1 / (1 + exp(-logit / temperature)) of each.
[[nodiscard]] std::vector<float> label_probabilities(const Table& logits, double temperature);

/// The T of least log_loss of sigmoid(logits / T), between 1/8 and 8: temperature scaling with one T for all classes. 1 when
/// there are no rows.
[[nodiscard]] double fit_temperature(const Table& logits, std::span<const std::uint8_t> targets);

/// Expected calibration error over 15 equal bins, every probability of every class a prediction of its own.
[[nodiscard]] double calibration_error(const LabelSetPredictions& predictions);

/// The temperature, and what it is worth; `folds`, one per row, say which rows are left out of the fit together.
[[nodiscard]] CalibrationReport fit_label_calibration(const Table& logits, std::span<const std::uint8_t> targets,
                                                      std::span<const std::int32_t> folds);

}  // namespace fovea::training
