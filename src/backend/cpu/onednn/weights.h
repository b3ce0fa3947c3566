// Fovea: weights rearranged into the order that a primitive likes best.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "core/context.h"

namespace fovea::cpu::onednn {

/// From the order of the weight files to what a primitive asked for.
class WeightPacking {
 public:
  WeightPacking(const Context& context, const dnnl::memory::desc& from, const dnnl::memory::desc& to);

  [[nodiscard]] std::size_t bytes() const { return to_.get_size(); }
  void run(const float* from, std::byte* to) const;

 private:
  dnnl::memory::desc from_;
  dnnl::memory::desc to_;
  dnnl::reorder reorder_;
  int threads_;
};

}  // namespace fovea::cpu::onednn
