// SPDX-License-Identifier: Apache-2.0
#include "train/row_targets.h"

#include "train/label_sets.h"

namespace fovea::training {

RowTargets row_targets(std::span<const std::int32_t> index, std::span<const Sample> samples, int classes, bool multi_label) {
  RowTargets result{classes, {}, {}};
  const std::vector<std::int32_t> homes = home_classes(samples, classes);
  for (const std::int32_t sample : index) result.labels.push_back(homes[static_cast<std::size_t>(sample)]);
  if (multi_label) result.targets = targets_of(index, samples, classes);
  return result;
}

}  // namespace fovea::training
