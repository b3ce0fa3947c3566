// Fovea: memory that the operating system mapped, unmapped by its owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

namespace fovea {

struct Unmap {
  std::size_t bytes = 0;
  void operator()(const std::byte* data) const;
};

template <class Byte>
using Mapping = std::unique_ptr<Byte, Unmap>;

}  // namespace fovea
