// Fovea: owned, aligned memory; and the view of a tensor that somebody else owns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <span>

#include "core/dtype.h"
#include "core/shape.h"

namespace fovea {

/// Every tensor starts on such a boundary: a cache line, and the widest vector.
inline constexpr std::size_t kAlignment = 64;

[[nodiscard]] constexpr std::size_t align_up(std::size_t bytes, std::size_t alignment = kAlignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// What the system maps for a buffer of so many bytes: whole pages, and a huge one at the end where it would be filled by half or
/// more.
[[nodiscard]] std::size_t mapped_bytes(std::size_t bytes);

/// Gives back what a Buffer of `bytes` had from the operating system.
struct FreeBuffer {
  std::size_t bytes = 0;
  void operator()(std::byte* data) const noexcept;
};

/// Zero-initialised bytes from the operating system, aligned to a page, in huge pages where it can.
/// Throws std::bad_alloc: running out of memory is exceptional.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);

  [[nodiscard]] std::byte* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return data_ == nullptr ? 0 : data_.get_deleter().bytes; }
  /// The buffer as `float`s; a tail of fewer than four bytes is left out.
  [[nodiscard]] std::span<float> floats() const { return {reinterpret_cast<float*>(data()), size() / sizeof(float)}; }
  /// Gives the bytes to the caller, who ends them with FreeBuffer of their number.
  [[nodiscard]] std::byte* release() { return data_.release(); }

 private:
  std::unique_ptr<std::byte, FreeBuffer> data_;
};

/// A dense row-major tensor owned elsewhere.
struct TensorView {
  std::byte* data = nullptr;
  Shape shape;
  DType dtype = DType::kF32;

  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(shape.elements()) * size_of(dtype); }
  [[nodiscard]] float* f32() const { return assert(dtype == DType::kF32), reinterpret_cast<float*>(data); }
  [[nodiscard]] std::span<float> floats() const { return {f32(), static_cast<std::size_t>(shape.elements())}; }
};

[[nodiscard]] inline TensorView view_of(std::span<float> values, const Shape& shape) {
  assert(static_cast<std::int64_t>(values.size()) == shape.elements());
  return {reinterpret_cast<std::byte*>(values.data()), shape, DType::kF32};
}

}  // namespace fovea
