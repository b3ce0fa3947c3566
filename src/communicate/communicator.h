// Fovea: trainers that hold the same parameters and sum their gradients.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "fovea/result.h"

namespace fovea {

/// One member of a team, which has as many as it has trainers. Each member is used by its own trainer alone, and all make the
/// same calls in the same order, with spans of the same length: each call returns when all have made it. The spans lie where the
/// members' backends compute. kCancelled once any member has left.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;

  [[nodiscard]] virtual int rank() const = 0;  ///< from 0
  [[nodiscard]] virtual int size() const = 0;
  /// Everybody has the values of rank 0.
  virtual Result<void> broadcast(std::span<float> values) = 0;
  /// Everybody has the sum of everybody's values: the same bits for all.
  virtual Result<void> all_reduce_sum(std::span<float> values) = 0;
  /// Takes no further part: whoever waits, or will, gets kCancelled. From any thread.
  virtual void leave() = 0;
};

}  // namespace fovea
