// SPDX-License-Identifier: Apache-2.0
#include "train/held_photos.h"

#include <algorithm>

#include "core/buffer.h"
#include "core/device_failure.h"

namespace fovea::training {
namespace {

constexpr std::uint64_t kBlock = std::uint64_t{64} << 20;

}  // namespace

PhotoSize HeldPhotos::size(std::int32_t sample) const {
  const Photo& photo = photos_[static_cast<std::size_t>(sample)];
  return photo.data.load(std::memory_order_acquire) == nullptr ? PhotoSize() : photo.size;
}

const std::byte* HeldPhotos::find(std::int32_t sample) const {
  return photos_[static_cast<std::size_t>(sample)].data.load(std::memory_order_acquire);
}

std::byte* HeldPhotos::place_for(std::size_t bytes) {
  const std::size_t taken = align_up(bytes);
  if (blocks_.empty() || used_ + taken > blocks_.back().size()) {
    const std::uint64_t wanted = std::max<std::uint64_t>(std::min(kBlock, room_), taken);
    if (wanted > room_) return nullptr;
    try {
      blocks_.emplace_back(memory_, wanted);
    } catch (const DeviceFailure& failure) {
      if (!failure.out_of_memory()) throw;
      room_ = 0;  // somebody else has taken it
      return nullptr;
    }
    memory_->synchronise();  // new memory is cleared, which what is uploaded beside must not meet
    room_ -= wanted;
    used_ = 0;
  }
  std::byte* place = blocks_.back().data() + used_;
  used_ += taken;
  return place;
}

const std::byte* HeldPhotos::hold(std::int32_t sample, PhotoSize size, std::span<const std::uint8_t> pixels) {
  std::byte* place = place_for(pixels.size());
  if (place == nullptr) return nullptr;
  memory_->upload_beside(std::as_bytes(pixels), place);
  Photo& photo = photos_[static_cast<std::size_t>(sample)];
  photo.size = size;
  photo.data.store(place, std::memory_order_release);
  ++count_;
  bytes_ += pixels.size();
  return place;
}

}  // namespace fovea::training
