// Fovea: work of one thread that goes on beside the backend's own.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "backend/cuda/stream.h"

namespace fovea::cuda {

/// A stream of its own, and a piece of memory. What fails is a DeviceFailure.
class Lane {
 public:
  Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  virtual ~Lane() = default;

  [[nodiscard]] virtual Stream stream() const = 0;
  /// At least `bytes`, aligned; what was there before is lost. Makes the device the calling thread's.
  [[nodiscard]] virtual std::byte* room(std::size_t bytes) = 0;
  virtual void upload(std::span<const std::byte> source, std::byte* target) = 0;
  /// Waits for what was asked for in this stream.
  virtual void download(const std::byte* source, std::span<std::byte> target) = 0;
};

}  // namespace fovea::cuda
