// Fovea: the extents of a tensor, at most four of them, outermost first.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace fovea {

/// Extents of a dense row-major tensor. Activations are (N, H, W, C); convolution weights keep the
/// order of the weight files, (K, C, R, S): output channels, input channels per group, rows, columns.
class Shape {
 public:
  static constexpr std::size_t kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const std::int64_t> extents) : rank_(extents.size()) {
    assert(extents.size() <= kMaxRank);
    for (std::size_t i = 0; i < rank_; ++i) extents_[i] = extents[i];
  }

  [[nodiscard]] std::size_t rank() const { return rank_; }
  [[nodiscard]] std::int64_t operator[](std::size_t axis) const { return assert(axis < rank_), extents_[axis]; }
  [[nodiscard]] std::int64_t back() const { return (*this)[rank_ - 1]; }
  [[nodiscard]] std::span<const std::int64_t> extents() const { return {extents_.data(), rank_}; }
  /// Product of the extents; 1 for a scalar.
  [[nodiscard]] std::int64_t elements() const {
    std::int64_t product = 1;
    for (const std::int64_t extent : extents()) product *= extent;
    return product;
  }

  friend bool operator==(const Shape& a, const Shape& b) { return a.rank_ == b.rank_ && a.extents_ == b.extents_; }

 private:
  std::array<std::int64_t, kMaxRank> extents_{};
  std::size_t rank_ = 0;
};

/// "32x112x112x16"; "scalar" for rank 0.
[[nodiscard]] std::string to_string(const Shape& shape);

/// Product of untrusted extents: nothing when one is negative or the product does not fit 62 bits.
[[nodiscard]] std::optional<std::int64_t> checked_elements(std::span<const std::int64_t> extents);

}  // namespace fovea
