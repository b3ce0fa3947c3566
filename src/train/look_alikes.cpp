// SPDX-License-Identifier: Apache-2.0
#include "train/look_alikes.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/parallel.h"

namespace fovea::training {
namespace {

constexpr int kRounds = 8;  // of k-means: few move after that

/// Directions of some rows, one after another.
struct Directions {
  std::int64_t width = 0;
  std::vector<float> values;
  [[nodiscard]] std::span<float> row(std::size_t n) {
    return std::span(values).subspan(n * static_cast<std::size_t>(width), static_cast<std::size_t>(width));
  }
};

void to_unit_length(std::span<float> row) {
  double squares = 0;
  for (const float x : row) squares += static_cast<double>(x) * x;
  const auto scale = static_cast<float>(squares > 0 ? 1 / std::sqrt(squares) : 0);
  for (float& x : row) x *= scale;
}

float cosine(std::span<const float> a, std::span<const float> b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Each next centre is the row that is least like those before it.
Directions far_apart(Directions& rows, std::size_t count, std::size_t clusters) {
  Directions centres{rows.width, {}};
  std::vector<float> nearest(count, -2.0F);
  std::size_t next = 0;
  for (std::size_t k = 0; k < clusters; ++k) {
    const auto seed = rows.row(next);
    centres.values.insert(centres.values.end(), seed.begin(), seed.end());
    for (std::size_t n = 0; n < count; ++n) nearest[n] = std::max(nearest[n], cosine(rows.row(n), centres.row(k)));
    next = static_cast<std::size_t>(std::ranges::min_element(nearest) - nearest.begin());
  }
  return centres;
}

std::vector<std::int32_t> cluster(Directions& rows, std::size_t count, std::size_t clusters) {
  std::vector<std::int32_t> cluster_of(count, 0);
  Directions centres = far_apart(rows, count, clusters);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t n = 0; n < count; ++n) {
      float best = -2;
      for (std::size_t k = 0; k < clusters; ++k) {
        const float likeness = cosine(rows.row(n), centres.row(k));
        if (likeness > best) {
          best = likeness;
          cluster_of[n] = static_cast<std::int32_t>(k);
        }
      }
    }
    std::ranges::fill(centres.values, 0.0F);
    for (std::size_t n = 0; n < count; ++n) {
      const auto centre = centres.row(static_cast<std::size_t>(cluster_of[n]));
      const auto row = rows.row(n);
      for (std::size_t i = 0; i < row.size(); ++i) centre[i] += row[i];
    }
    for (std::size_t k = 0; k < clusters; ++k) to_unit_length(centres.row(k));
  }
  return cluster_of;
}

}  // namespace

std::vector<std::int32_t> group_look_alikes(const Context& context, const FeatureSet& set,
                                            std::span<const std::int32_t> duplicates, std::size_t length, std::size_t fewest) {
  std::vector<std::vector<std::size_t>> rows_of(static_cast<std::size_t>(set.classes) + 1);  // one more: photos without a label
  for (std::size_t n = 0; n < set.labels.size(); ++n) rows_of[static_cast<std::size_t>(set.labels[n])].push_back(n);
  std::vector<std::int32_t> groups(set.labels.size(), 0);
  parallel_for(context, set.classes + 1, [&](std::int64_t label) {
    const auto& rows = rows_of[static_cast<std::size_t>(label)];
    Directions directions{set.width, {}};
    for (const std::size_t n : rows) {
      const auto row = set.features.subspan(n * static_cast<std::size_t>(set.width), static_cast<std::size_t>(set.width));
      directions.values.insert(directions.values.end(), row.begin(), row.end());
    }
    for (std::size_t i = 0; i < rows.size(); ++i) to_unit_length(directions.row(i));
    const auto clusters = std::min(rows.size(), std::max(fewest, rows.size() / length));
    const auto cluster_of = cluster(directions, rows.size(), clusters);
    std::vector<std::size_t> first_of(clusters, rows.size());  // a cluster is named by its first row
    for (std::size_t i = rows.size(); i > 0; --i) first_of[static_cast<std::size_t>(cluster_of[i - 1])] = i - 1;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      groups[rows[i]] = static_cast<std::int32_t>(rows[first_of[static_cast<std::size_t>(cluster_of[i])]]);
    }
  });
  std::map<std::int32_t, std::int32_t> group_of_copies;
  for (std::size_t n = 0; n < duplicates.size(); ++n) groups[n] = group_of_copies.emplace(duplicates[n], groups[n]).first->second;
  return groups;
}

}  // namespace fovea::training
