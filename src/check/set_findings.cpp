// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "check/findings.h"
#include "fovea/figures.h"

namespace fovea {

std::string_view name_of(ClassFinding::Problem problem) {
  switch (problem) {
    case ClassFinding::Problem::kNotInTraining: return "not in training";
    case ClassFinding::Problem::kNotInValidation: return "not in validation";
    case ClassFinding::Problem::kFew: return "few photos";
    case ClassFinding::Problem::kOutnumbered: return "outnumbered";
  }
  return "?";
}

}  // namespace fovea

namespace fovea::checking {
namespace {

/// Below this many training photos a last layer has little to go by.
constexpr std::int64_t kFewPhotos = 10;
/// So many times the photos of another class: from here on accuracy may hide that the small one is never named.
constexpr std::int64_t kOutnumberedBy = 5;

DuplicateGroup group_of(const Surveyed& surveyed, std::span<const std::size_t> members) {
  const SurveyedPhoto& first = surveyed.photos[members.front()];
  DuplicateGroup group;
  group.exact = true;
  for (const std::size_t i : members) {
    const SurveyedPhoto& photo = surveyed.photos[i];
    group.photos.push_back(named(photo, surveyed.classes));
    group.exact = group.exact && photo.fingerprint->content == first.fingerprint->content;
    group.across_splits = group.across_splits || photo.split != first.split;
    group.across_classes = group.across_classes || photo.sample.labels != first.sample.labels;
  }
  return group;
}

}  // namespace

std::vector<DuplicateGroup> find_duplicates(const Surveyed& surveyed, std::span<const int> groups) {
  std::map<int, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (surveyed.photos[i].fingerprint) members[groups[i]].push_back(i);
  }
  std::vector<DuplicateGroup> found;
  for (const auto& [number, photos] : members) {
    if (photos.size() > 1) found.push_back(group_of(surveyed, photos));
  }
  std::ranges::stable_sort(found, std::greater(), [](const DuplicateGroup& group) {
    return std::tuple(group.across_splits, group.across_classes, group.photos.size());
  });
  return found;
}

std::vector<ClassCount> count_classes(const Surveyed& surveyed) {
  std::vector<ClassCount> counts;
  for (const std::string& name : surveyed.classes) counts.push_back({name});
  for (const SurveyedPhoto& photo : surveyed.photos) {
    for (const int label : photo.sample.labels) {
      ClassCount& count = counts[static_cast<std::size_t>(label)];
      ++(photo.split == Split::kTrain ? count.train : photo.split == Split::kVal ? count.val : count.test);
    }
  }
  return counts;
}

std::vector<ClassFinding> find_class_problems(std::span<const ClassCount> counts) {
  using Problem = ClassFinding::Problem;
  std::int64_t most = 0;
  bool has_val = false;
  for (const ClassCount& count : counts) {
    most = std::max(most, count.train);
    has_val = has_val || count.val > 0;
  }
  std::vector<ClassFinding> findings;
  for (const auto& [name, train, val, test] : counts) {
    if (train == 0) {
      findings.push_back({Problem::kNotInTraining, name, counted(val + test, "photo") + ", none of them to learn from"});
      continue;
    }
    if (train < kFewPhotos) findings.push_back({Problem::kFew, name, counted(train, "training photo")});
    if (train * kOutnumberedBy <= most) {
      findings.push_back(
          {Problem::kOutnumbered, name, fmt::format("{}, the largest class has {}", counted(train, "training photo"), most)});
    }
    if (has_val && val == 0) {
      findings.push_back({Problem::kNotInValidation, name, counted(train, "training photo") + ", none to measure by"});
    }
  }
  std::ranges::stable_sort(findings, {}, &ClassFinding::problem);
  return findings;
}

}  // namespace fovea::checking
