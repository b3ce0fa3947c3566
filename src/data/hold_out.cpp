// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "data/dataset.h"
#include "data/similar.h"

namespace fovea {
namespace {

// Near-duplicates, which stay together.
struct Group {
  std::uint64_t turn = 0;                      ///< from seed and content: the order in which groups are considered
  std::vector<std::size_t> members;            ///< indices into train
  std::map<std::size_t, std::int64_t> counts;  ///< photos of each class; those without labels are a class of their own
  bool held_out = false;
};

std::vector<std::size_t> classes_of(const Sample& sample, std::size_t unlabelled) {
  if (sample.labels.empty()) return {unlabelled};
  return {sample.labels.begin(), sample.labels.end()};
}

std::uint64_t turn_of(std::uint64_t seed, std::uint64_t content) {
  const std::array both{seed, content};
  return hash64(std::as_bytes(std::span(both)));
}

std::vector<Group> groups_of(const Dataset& dataset, const std::vector<std::optional<Fingerprint>>& fingerprints,
                             std::uint64_t seed) {
  const std::vector<int> numbers = group_near_duplicates(fingerprints);
  std::map<int, Group> groups;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!fingerprints[i]) continue;
    Group& group = groups[numbers[i]];
    const std::uint64_t turn = turn_of(seed, fingerprints[i]->content);
    group.turn = group.members.empty() ? turn : std::min(group.turn, turn);
    group.members.push_back(i);
    for (const std::size_t k : classes_of(dataset.train[i], dataset.classes.size())) ++group.counts[k];
  }
  std::vector<Group> all;
  all.reserve(groups.size());
  for (auto& [number, group] : groups) all.push_back(std::move(group));
  std::ranges::stable_sort(all, {}, &Group::turn);
  return all;
}

// How many photos each class has, should give and has given.
struct Quota {
  std::vector<std::int64_t> have, give, given;

  Quota(const std::vector<Group>& groups, std::size_t classes, double fraction) : have(classes), give(classes), given(classes) {
    for (const Group& group : groups) {
      for (const auto& [k, count] : group.counts) have[k] += count;
    }
    for (std::size_t k = 0; k < classes; ++k) {
      const auto wanted = std::max<std::int64_t>(1, std::llround(fraction * static_cast<double>(have[k])));
      give[k] = have[k] < 3 ? 0 : std::min(wanted, have[k] - 1);
    }
  }

  // `most` gives the largest number of photos that a class may have given in the end.
  template <class Most>
  [[nodiscard]] bool fits(const Group& group, const Most& most) const {
    return std::ranges::all_of(group.counts,
                               [&](const auto& part) { return given[part.first] + part.second <= most(part.first); });
  }
  void take(Group& group) {
    group.held_out = true;
    for (const auto& [k, count] : group.counts) given[k] += count;
  }
};

// First every group that no class's share is too small for, in turn; then, for classes that gave nothing because all of their
// groups are large, the smallest one that leaves at least half of each class.
void choose(std::vector<Group>& groups, Quota& quota) {
  for (Group& group : groups) {
    if (quota.fits(group, [&](std::size_t k) { return quota.give[k]; })) quota.take(group);
  }
  for (std::size_t k = 0; k < quota.give.size(); ++k) {
    if (quota.give[k] == 0 || quota.given[k] > 0) continue;
    Group* best = nullptr;
    for (Group& group : groups) {
      if (group.held_out || !group.counts.contains(k) || !quota.fits(group, [&](std::size_t j) { return quota.have[j] / 2; }))
        continue;
      if (best == nullptr || group.members.size() < best->members.size()) best = &group;
    }
    if (best != nullptr) quota.take(*best);
  }
}

void move_to_val(const std::vector<Group>& groups, Dataset& dataset) {
  std::vector<bool> held_out(dataset.train.size());
  for (const Group& group : groups) {
    for (const std::size_t i : group.members) held_out[i] = group.held_out;
  }
  std::vector<Sample> kept;
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    (held_out[i] ? dataset.val : kept).push_back(std::move(dataset.train[i]));
  }
  dataset.train = std::move(kept);
  dataset.val_held_out = true;
}

// Copies that carry different labels: somebody made a mistake, or the classes overlap.
void note_contradictions(const std::vector<Group>& groups, Dataset& dataset) {
  std::int64_t count = 0;
  std::string example;
  for (const Group& group : groups) {
    const Sample& first = dataset.train[group.members.front()];
    const auto other =
        std::ranges::find_if(group.members, [&](std::size_t i) { return dataset.train[i].labels != first.labels; });
    if (other == group.members.end()) continue;
    if (count++ == 0) example = fmt::format("{} and {}", first.path.string(), dataset.train[*other].path.string());
  }
  if (count > 0)
    dataset.notes.push_back(fmt::format("near-duplicates with different labels: {}, such as {}",
                                        count == 1 ? "1 group" : fmt::format("{} groups", count), example));
}

/// Classes that validation says nothing about: each by name, or of many for one reason a few.
void note_classes_without(const Quota& quota, Dataset& dataset) {
  constexpr std::size_t kNamed = 3;
  std::map<std::int64_t, std::vector<std::string>> by_photos;  // 3 for all that have more than 2
  for (std::size_t k = 0; k < dataset.classes.size(); ++k) {
    if (quota.given[k] == 0 && quota.have[k] > 0) {
      by_photos[std::min<std::int64_t>(quota.have[k], 3)].push_back(dataset.classes[k]);
    }
  }
  for (const auto& [photos, classes] : by_photos) {
    const bool many = classes.size() > kNamed;
    const std::string why = photos < 3 ? fmt::format("{} only {}", many ? "they have" : "it has", photos)
                                       : fmt::format("{} photos are near-duplicates of each other", many ? "their" : "its");
    if (many) {
      dataset.notes.push_back(fmt::format("no photo of {} classes in validation, such as {}: {}", classes.size(),
                                          fmt::join(std::span(classes).first(kNamed), ", "), why));
      continue;
    }
    for (const std::string& name : classes) dataset.notes.push_back(fmt::format("no photo of {} in validation: {}", name, why));
  }
}

void note_outcome(const std::vector<Group>& groups, const Quota& quota, std::size_t total, Dataset& dataset) {
  const auto repeated = std::ranges::count_if(groups, [](const Group& group) { return group.members.size() > 1; });
  dataset.notes.push_back(fmt::format(
      "held out {} of {} photos for validation{}", dataset.val.size(), total,
      repeated > 0 ? fmt::format("; {} of near-duplicates {} kept together",
                                 repeated == 1 ? "1 group" : fmt::format("{} groups", repeated), repeated == 1 ? "was" : "were")
                   : ""));
  note_classes_without(quota, dataset);
}

}  // namespace

Result<void> hold_out_validation(const Context& context, Dataset& dataset, const HoldOutOptions& options) {
  if (!(options.fraction > 0 && options.fraction < 1)) {
    return fail(Error::Kind::kUsage, "validation share {}: expected a number between 0 and 1", options.fraction);
  }
  if (!dataset.val.empty()) return {};
  std::vector<std::filesystem::path> paths;
  for (const Sample& sample : dataset.train) paths.push_back(sample.path);
  FOVEA_ASSIGN(const auto fingerprints, fingerprints_of(context, paths));
  std::vector<Group> groups = groups_of(dataset, fingerprints, options.seed);
  Quota quota(groups, dataset.classes.size() + 1, options.fraction);
  choose(groups, quota);
  note_contradictions(groups, dataset);
  move_to_val(groups, dataset);
  note_outcome(groups, quota, paths.size(), dataset);
  return {};
}

}  // namespace fovea
