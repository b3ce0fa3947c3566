// Fovea: how well training kept busy what computes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace fovea {

/// Waiting for photos for a larger share of the time than this is called out.
inline constexpr double kMostWaiting = 0.15;

struct Utilisation {
  double images_per_second = 0;  ///< through forward and backward pass and into the weights
  double wait_share = 0;         ///< of the time, spent waiting for photos; 0 to 1
  double seconds = 0;            ///< that were looked at
  /// Share of the time that a GPU computed, from events of its own; none where a processor trains.
  std::optional<double> device_busy;
  std::string remedy;  ///< what to do about the waiting; empty: it is not above kMostWaiting
};

}  // namespace fovea
