// Fovea: the rows of one fold, or those of all others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/inference.h"

namespace fovea::training {

/// Truth: a label (std::int32_t) a row, or 0 or 1 (std::uint8_t) for each class of a row.
template <class Truth>
struct FoldPart {
  Table logits;
  std::vector<Truth> truth;
};

/// With `inside` the rows of `fold`, else those of the other folds, in their order. `folds`: one number per row.
template <class Truth>
FoldPart<Truth> part_of(const Table& logits, std::span<const Truth> truth, std::span<const std::int32_t> folds, std::int32_t fold,
                        bool inside) {
  FoldPart<Truth> part{{logits.width, {}}, {}};
  for (std::size_t n = 0; n < folds.size(); ++n) {
    if ((folds[n] == fold) != inside) continue;
    const std::size_t per_row = truth.size() / folds.size();
    const auto row = logits.row(static_cast<std::int64_t>(n));
    const auto of_row = truth.subspan(n * per_row, per_row);
    part.logits.values.insert(part.logits.values.end(), row.begin(), row.end());
    part.truth.insert(part.truth.end(), of_row.begin(), of_row.end());
  }
  return part;
}

}  // namespace fovea::training
