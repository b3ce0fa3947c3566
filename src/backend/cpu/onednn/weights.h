// Fovea: weights rearranged into the order that a primitive likes best.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "core/context.h"

namespace fovea::cpu::onednn {

/// Between the order of the weight files and what a primitive asked for. Many weights are cut by their outputs and dealt out; few
/// take less time than waking a thread.
class WeightPacking {
 public:
  WeightPacking(const dnnl::memory::desc& from, const dnnl::memory::desc& to);

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  void run(const Context& context, const float* from, std::byte* to) const;

 private:
  /// Some of the outputs.
  struct Slice {
    dnnl::memory::desc from;
    dnnl::memory::desc to;
    dnnl::reorder reorder;
  };
  std::size_t bytes_;
  std::vector<Slice> slices_;
};

}  // namespace fovea::cpu::onednn
