// Fovea: photos' bytes that stay in a device's memory, as many as it has room for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/memory.h"
#include "data/drawn_photo.h"

namespace fovea::training {

/// One thread adds, any may ask.
class HeldPhotos {
 public:
  HeldPhotos(std::shared_ptr<Memory> memory, std::size_t samples) : memory_(std::move(memory)), photos_(samples) {}

  /// So many bytes may be taken, none before; and no more once the memory refuses.
  void set_room(std::uint64_t room) { room_ = room; }
  /// {} of a photo that is not held.
  [[nodiscard]] PhotoSize size(std::int32_t sample) const;
  /// Null of a photo that is not held.
  [[nodiscard]] const std::byte* find(std::int32_t sample) const;
  /// Uploads and keeps it; null where there is no room.
  const std::byte* hold(std::int32_t sample, PhotoSize size, std::span<const std::uint8_t> pixels);

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Photo {
    PhotoSize size;
    std::atomic<const std::byte*> data = nullptr;  ///< set last
  };
  [[nodiscard]] std::byte* place_for(std::size_t bytes);

  std::shared_ptr<Memory> memory_;
  std::vector<Photo> photos_;  ///< by sample
  std::vector<DeviceBuffer> blocks_;
  std::size_t used_ = 0;  ///< of the last block
  std::uint64_t room_ = 0;
  std::int64_t count_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace fovea::training
