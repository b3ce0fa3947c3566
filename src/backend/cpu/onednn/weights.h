// Fovea: weights rearranged into the order that a primitive likes best.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>

namespace fovea::cpu::onednn {

/// From the order of the weight files to what a primitive asked for, on the calling thread: it takes less time than waking
/// others.
class WeightPacking {
 public:
  WeightPacking(const dnnl::memory::desc& from, const dnnl::memory::desc& to);

  [[nodiscard]] std::size_t bytes() const { return to_.get_size(); }
  void run(const float* from, std::byte* to) const;

 private:
  dnnl::memory::desc from_;
  dnnl::memory::desc to_;
  dnnl::reorder reorder_;
};

}  // namespace fovea::cpu::onednn
