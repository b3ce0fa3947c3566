// Fovea: the figures of a report, a file each. Every function gives HTML, or nothing where there is nothing to show.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "report/report.h"

namespace fovea::report {

/// The accuracy on a line with its interval.
[[nodiscard]] std::string interval_bar(double accuracy, const Interval& interval);
/// What an accuracy is: "right" or "mean average precision".
[[nodiscard]] std::string_view measure_text(Measure measure);
/// Loss and accuracy by epoch, a pair for each stage that has epochs.
[[nodiscard]] std::string curves(std::span<const EpochReport> epochs);
/// Who is taken for whom: a table with numbers for few classes, a drawing for many; and the most frequent confusions by name.
[[nodiscard]] std::string confusion(const Evaluation& evaluation);
/// A row for each class, the weakest first.
[[nodiscard]] std::string class_table(const Evaluation& evaluation);
/// The same for photos with any number of labels: the lowest average precision first.
[[nodiscard]] std::string label_table(const Evaluation& evaluation);
/// Stated probability against what came true.
[[nodiscard]] std::string reliability(const Calibration& calibration);
/// Accuracy of the surest part of the answers.
[[nodiscard]] std::string coverage(std::span<const CoveragePoint> points);
/// Thumbnails beside their heat maps.
[[nodiscard]] std::string mistakes(std::span<const Mistake> mistakes);
/// What is called unknown, rightly and wrongly.
[[nodiscard]] std::string rejection(const Input& input);
/// The figures of the test photos, which no choice saw.
[[nodiscard]] std::string test_split(const TrainReport& report);
/// Each fold of a cross-validation, with mean and deviation.
[[nodiscard]] std::string folds(const CrossValidation& folds);
/// Choices with reasons, times, hardware, skipped photos, provenance.
[[nodiscard]] std::string run_facts(const Input& input);

}  // namespace fovea::report
