// Fovea: what a definition is written over: tensors with an index per axis.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstdint>
#include <span>

#include "backend/backend.h"
#include "core/shape.h"

namespace fovea::reference {

/// A dense row-major tensor of `Real`, owned elsewhere: x(n, h, w, c), or x[i] for its i-th element.
template <class Real>
class Tensor {
 public:
  Tensor() = default;
  Tensor(Real* data, const Shape& shape) : data_(data), shape_(shape) {}

  template <class... Index>
  Real& operator()(Index... index) const {
    assert(sizeof...(Index) == shape_.rank());
    std::int64_t position = 0;
    std::size_t axis = 0;
    ((position = position * shape_[axis++] + static_cast<std::int64_t>(index)), ...);
    return (*this)[position];
  }
  Real& operator[](std::int64_t position) const { return assert(position >= 0 && position < size()), data_[position]; }

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t size() const { return shape_.elements(); }
  [[nodiscard]] std::int64_t channels() const { return shape_.back(); }
  /// How many vectors of channels() there are: N H W of an activation.
  [[nodiscard]] std::int64_t positions() const { return size() / channels(); }

  void fill(Real value) const {
    for (std::int64_t i = 0; i < size(); ++i) data_[i] = value;
  }
  /// The same elements under other extents.
  [[nodiscard]] Tensor reshaped(const Shape& shape) const { return assert(shape.elements() == size()), Tensor(data_, shape); }

 private:
  Real* data_ = nullptr;
  Shape shape_;
};

/// The tensors of one node, in the order of ops.h. No two overlap.
template <class Real>
struct Operands {
  std::span<const Tensor<const Real>> in;
  std::span<const Tensor<Real>> out;
  RunState state;
};

}  // namespace fovea::reference
