// Fovea: what a survey says about files, copies, shapes and classes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "check/survey.h"
#include "fovea/check.h"

namespace fovea::checking {

struct Surveyed {
  std::span<const SurveyedPhoto> photos;
  const std::vector<std::string>& classes;
};

/// Unreadable first, then truncated, misnamed, tiny; each in the order of the photos. Tiny: the shorter side below a quarter of
/// the network's input.
[[nodiscard]] std::vector<FileFinding> find_bad_files(const Surveyed& surveyed, const Preprocess& input);

/// `groups` as of group_near_duplicates, a number per photo.
[[nodiscard]] std::vector<DuplicateGroup> find_duplicates(const Surveyed& surveyed, std::span<const int> groups);

[[nodiscard]] std::vector<ClassCount> count_classes(const Surveyed& surveyed);

/// Classes that one side lacks, that have few photos, or that others outnumber.
[[nodiscard]] std::vector<ClassFinding> find_class_problems(std::span<const ClassCount> counts);

/// Share of a photo that Fit::kCrop cuts away.
[[nodiscard]] double lost_by_crop(int width, int height, const Preprocess& input);

/// Photos at least twice as long as wide, or wide as long; most cut away first.
[[nodiscard]] std::vector<ShapeFinding> find_odd_shapes(const Surveyed& surveyed, const Preprocess& input);

[[nodiscard]] SizeSummary summarize_sizes(std::span<const SurveyedPhoto> photos, const Preprocess& input);

}  // namespace fovea::checking
