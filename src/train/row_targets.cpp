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

RowTargets without_absent_classes(const RowTargets& targets) {
  const auto classes = static_cast<std::size_t>(targets.classes);
  std::vector<bool> present(classes, false);
  for (const std::int32_t label : targets.labels) {
    if (label < targets.classes) present[static_cast<std::size_t>(label)] = true;
  }
  for (std::size_t i = 0; i < targets.targets.size(); ++i) {
    if (targets.targets[i] != 0) present[i % classes] = true;
  }
  std::vector<std::int32_t> numbers;  // of each class and, last, of a row without one
  std::int32_t next = 0;
  for (const bool one : present) numbers.push_back(one ? next++ : -1);
  numbers.push_back(next);
  RowTargets result{next, {}, {}};
  for (const std::int32_t label : targets.labels) result.labels.push_back(numbers[static_cast<std::size_t>(label)]);
  for (std::size_t i = 0; i < targets.targets.size(); ++i) {
    if (present[i % classes]) result.targets.push_back(targets.targets[i]);
  }
  return result;
}

}  // namespace fovea::training
