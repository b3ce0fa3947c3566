// Fovea: reading forward through untrusted bytes: nothing is taken that is not there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "core/file.h"

namespace fovea {

class ByteCursor {
 public:
  explicit ByteCursor(Bytes bytes, std::size_t position = 0) : bytes_(bytes), position_(position) {}

  /// Bytes consumed so far; never more than there are.
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }

  /// The next `count` bytes, or nothing when fewer are left.
  std::optional<Bytes> take(std::uint64_t count) {
    if (count > remaining()) return std::nullopt;
    const Bytes taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  /// The next little-endian number.
  template <class T>
  requires std::is_trivially_copyable_v<T> std::optional<T> number() {
    const auto taken = take(sizeof(T));
    if (!taken) return std::nullopt;
    T value;
    std::memcpy(&value, taken->data(), sizeof(T));
    return value;
  }
  /// The bytes up to the next newline, which is consumed too.
  std::optional<std::string_view> line() {
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + position_, remaining());
    const std::size_t length = rest.find('\n');
    if (length == std::string_view::npos) return std::nullopt;
    position_ += length + 1;
    return rest.substr(0, length);
  }

 private:
  Bytes bytes_;
  std::size_t position_;
};

/// Bytes as text, which the same memory holds.
[[nodiscard]] inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace fovea
