// Fovea: telling from a network's features that a photo is of none of its classes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/weights.h"
#include "fovea/result.h"

namespace fovea {

/// How the features and logits of known photos lie. With u the features at length 1, c = u - mean and z = basis c:
///
///   score = (|c|^2 - |z|^2) / rest + (energy(logits) - energy.mean) / energy.deviation
///
/// The first term is what is left outside of the directions in which known photos differ (the residual of H. Wang et al., "ViM",
/// CVPR 2022), 1 on average over these. The second is the energy, -log sum exp (W. Liu et al., "Energy-based out-of-distribution
/// detection", NeurIPS 2020), in deviations from its mean: 0 on average, and left out where no photos were there to measure it.
struct Rejection {
  static constexpr std::int64_t kMaxRank = 256;

  std::vector<float> mean;   ///< (width)
  std::vector<float> basis;  ///< (rank, width), orthonormal rows
  double rest = 1.0;         ///< mean of |c|^2 - |z|^2 over known photos
  struct Energy {
    double mean = 0.0;
    double deviation = 1.0;  ///< more than 0
  };
  std::optional<Energy> energy;  ///< of known photos that the weights did not learn from
  double threshold = 0.0;        ///< a higher score is rejected
  /// How the threshold came about.
  double known_rejected = 0.0;  ///< share of known photos that it rejects
  std::int64_t known_photos = 0;
  std::string measured_on;  ///< "validation photos"

  [[nodiscard]] std::int64_t width() const { return static_cast<std::int64_t>(mean.size()); }
  [[nodiscard]] std::int64_t rank() const { return mean.empty() ? 0 : static_cast<std::int64_t>(basis.size() / mean.size()); }
};

/// -log sum exp of logits (classes): lower, the more of any class the network sees.
[[nodiscard]] double energy_of(std::span<const float> logits);

/// The score of a photo's features (width) and logits (classes); about rank width multiplications.
[[nodiscard]] double rejection_score(const Rejection& rejection, std::span<const float> features, std::span<const float> logits);

[[nodiscard]] inline bool is_rejected(const Rejection& rejection, std::span<const float> features,
                                      std::span<const float> logits) {
  // A score that is no number is of features that no known photo has.
  return !(rejection_score(rejection, features, logits) <= rejection.threshold);
}

/// In a model file: the tensors "rejection.mean" and ".basis"; the rest stands in the model card.
[[nodiscard]] bool is_rejection_tensor(std::string_view name);

/// Views into `rejection`.
[[nodiscard]] std::vector<StoredTensor> rejection_tensors(const Rejection& rejection);

/// Fills the tensors, which must fit each other; kFormat and kNotFound name file and tensor.
Result<void> read_rejection_tensors(const WeightFile& file, std::int64_t width, Rejection& rejection);

}  // namespace fovea
