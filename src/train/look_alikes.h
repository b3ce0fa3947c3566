// Fovea: photos of the same thing, though not copies: the same fruit from another side, the same sky a minute later.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.h"
#include "train/head_regression.h"

namespace fovea::training {

/// A group number per row: the rows of each class in clusters of features of similar direction, about `length` rows each but
/// `fewest` clusters where there are as many rows (k-means, from seeds that lie farthest apart; the same for any number of
/// threads). Photos come in series, and with another of its series in
/// sight a photo is no test. Rows that share a number in `duplicates` (one per row, or none) share a group.
[[nodiscard]] std::vector<std::int32_t> group_look_alikes(const Context& context, const FeatureSet& set,
                                                          std::span<const std::int32_t> duplicates, std::size_t length,
                                                          std::size_t fewest);

}  // namespace fovea::training
