// Fovea: probabilities that mean what they say.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "fovea/trainer.h"
#include "model/probabilities.h"
#include "train/inference.h"

namespace fovea::training {

/// The T between 1/8 and 8 of least `loss(1 / T)`, which is convex: golden-section search.
[[nodiscard]] double least_temperature(const std::function<double(double inverse)>& loss);

/// The T of least mean -log softmax(logits / T)[label], between 1/8 and 8 (temperature scaling: C. Guo et al., "On calibration of
/// modern neural networks", ICML 2017). 1 when there are no rows.
[[nodiscard]] double fit_temperature(const Table& logits, std::span<const std::int32_t> labels);

/// probabilities_of each row.
[[nodiscard]] std::vector<float> probabilities_of(const Table& logits, const Calibration& calibration);

/// The map of largest probabilities by isotonic regression (pool adjacent violators: M. Ayer et al., 1955; B. Zadrozny and C.
/// Elkan, KDD 2002) towards right (1) or wrong (0), each photo counting as much for what temperature says of it: few photos
/// cannot carry the map far away, and nothing becomes certain. At most 64 knots. `stated` and `right` are equally long.
[[nodiscard]] std::vector<Calibration::Knot> fit_confidence(std::span<const double> stated, std::span<const double> right);

/// Temperature, and the map unless photos that are left out of the fit say that it does harm: their squared error (G. Brier,
/// 1950) grows by more than a standard error. Few photos get no map.
struct FittedCalibration {
  Calibration calibration;
  CalibrationReport report;
};
[[nodiscard]] FittedCalibration fit_calibration(const Table& logits, std::span<const std::int32_t> labels, std::uint64_t seed);

}  // namespace fovea::training
