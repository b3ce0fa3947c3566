// Fovea: a tensor's numbers as the type that a kernel reads them as.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>

#include "core/buffer.h"

namespace fovea {

/// `Number` is a backend's own type of as many bytes, such as a bf16; its meaning is the caller's to know.
template <class Number>
[[nodiscard]] Number* numbers_of(const TensorView& view) {
  assert(size_of(view.dtype) == sizeof(Number));
  return reinterpret_cast<Number*>(view.data);
}

}  // namespace fovea
