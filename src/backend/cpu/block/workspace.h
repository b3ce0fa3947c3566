// Fovea: laying out the pieces of one block of memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/buffer.h"

namespace fovea::cpu::block {

/// Hands out aligned pieces one after the other; counted once to know the size, then by each run from its memory.
class Pieces {
 public:
  explicit Pieces(std::byte* memory = nullptr) : memory_(memory) {}
  template <class Element>
  Element* take(std::int64_t count) {
    auto* piece = memory_ == nullptr ? nullptr : reinterpret_cast<Element*>(memory_ + bytes_);
    bytes_ += align_up(static_cast<std::size_t>(count) * sizeof(Element));
    return piece;
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* memory_;
  std::size_t bytes_ = 0;
};

}  // namespace fovea::cpu::block
