// Fovea: memory that notices when something is written beside it, and spoils what is read beside it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "backend/memory.h"
#include "core/buffer.h"

namespace fovea::contract {

/// Bytes between two guard zones. The pattern is a NaN as float: what reads it without leave shows it. Kernels see a copy in the
/// memory of their backend, guards included, where that is not the host's: push() before and pull() after they run.
class GuardedMemory {
 public:
  GuardedMemory(std::shared_ptr<Memory> memory, std::size_t bytes)
      : storage_(bytes + 2 * kGuard + kAlignment, kPattern), bytes_(bytes) {
    void* start = storage_.data() + kGuard;
    std::size_t room = storage_.size() - kGuard;
    data_ = static_cast<std::byte*>(std::align(kAlignment, bytes, start, room));
    if (memory->on_host()) return;
    memory_ = std::move(memory);
    copy_ = DeviceBuffer(memory_, kGuard + bytes + kGuard);
  }

  /// For kernels.
  [[nodiscard]] std::byte* data() { return memory_ == nullptr ? data_ : copy_.data() + kGuard; }
  void push() {
    if (memory_ != nullptr) memory_->upload({data_ - kGuard, copy_.size()}, copy_.data());
  }
  void pull() {
    if (memory_ != nullptr) memory_->download(copy_.data(), {data_ - kGuard, copy_.size()});
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, bytes_}; }

  void set(std::span<const std::byte> content) { std::ranges::copy(content, data_); }
  /// Makes the content undefined again.
  void poison() { std::fill_n(data_, bytes_, kPattern); }
  /// Nothing was written beside it.
  [[nodiscard]] bool intact() const {
    const auto untouched = [](std::byte b) { return b == kPattern; };
    return std::all_of(storage_.data(), static_cast<const std::byte*>(data_), untouched) &&
           std::all_of(static_cast<const std::byte*>(data_) + bytes_, storage_.data() + storage_.size(), untouched);
  }

 private:
  static constexpr std::byte kPattern{0xFF};
  static constexpr std::size_t kGuard = 256;
  static_assert(kGuard % kAlignment == 0);

  std::vector<std::byte> storage_;
  std::size_t bytes_;
  std::byte* data_ = nullptr;
  std::shared_ptr<Memory> memory_;  ///< null where it is the host's
  DeviceBuffer copy_;
};

}  // namespace fovea::contract
