// Fovea: memory that notices when something is written beside it, and spoils what is read beside it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/buffer.h"

namespace fovea::contract {

/// Bytes between two guard zones. The pattern is a NaN as float: what reads it without leave shows it.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t bytes) : storage_(bytes + 2 * kGuard + kAlignment, kPattern), bytes_(bytes) {
    void* start = storage_.data() + kGuard;
    std::size_t room = storage_.size() - kGuard;
    data_ = static_cast<std::byte*>(std::align(kAlignment, bytes, start, room));
  }
  explicit GuardedMemory(std::span<const float> values) : GuardedMemory(values.size_bytes()) { set(values); }

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] std::span<const float> floats() const { return {reinterpret_cast<const float*>(data_), bytes_ / sizeof(float)}; }

  void set(std::span<const float> values) { std::ranges::copy(std::as_bytes(values), data_); }
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

  std::vector<std::byte> storage_;
  std::size_t bytes_;
  std::byte* data_ = nullptr;
};

}  // namespace fovea::contract
