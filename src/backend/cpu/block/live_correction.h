// Fovea: what the first normalisation of a block takes from its gradients (formulas in live.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/block/f32_memory.h"
#include "backend/cpu/block/live_frame.h"

namespace fovea::cpu::block {

class LiveCorrection {
 public:
  LiveCorrection(const Context& context, const Geometry& g, Target target);

  [[nodiscard]] static std::size_t scratch_bytes(const Context& context, const Geometry& g);
  /// From sums.expand (g times x - mean) and sums.expand_bias (g) over all positions: outputs dwe, dge and dbe, and dx, which is
  /// we' times g and the norm's scale so far.
  void run(const Arguments& a, const LiveExpansion& expansion, const f32_memory::Sums& sums, std::byte* scratch) const;

 private:
  struct Memory;
  void correct_weights(const Arguments& a, const LiveExpansion& expansion, const f32_memory::Sums& sums,
                       const Memory& memory) const;
  void make_matrix(const Arguments& a, const LiveExpansion& expansion, const f32_memory::Sums& sums, const Memory& memory) const;
  void correct_input(const Arguments& a, const LiveExpansion& expansion, const Memory& memory) const;

  Context context_;
  Geometry g_;
  BlockKernels products_;
  BlockNormKernels norms_;
};

}  // namespace fovea::cpu::block
