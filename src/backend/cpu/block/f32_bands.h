// Fovea: what a band of floats goes through in every kind of block.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/block/f32_memory.h"
#include "backend/cpu/kernels/block_depthwise.h"

namespace fovea::cpu::block {

/// Floats from one block of channels of a ring to the next.
[[nodiscard]] inline std::int64_t block_of(const Ring& ring) { return ring.positions() * kBlockChannels; }

class F32Bands {
 public:
  F32Bands(Target target, const graph::Window& window);

  /// A thread's memory, made ready: the margins of these blocks of channels, and the places that are in order; or all of it.
  void clear(const Geometry& g, const Rings& rings, const f32_memory::Work& work, bool backward, Range blocks) const;
  void number(const f32_memory::Work& work) const;
  void begin(const Geometry& g, const Rings& rings, const f32_memory::Work& work, bool backward) const;
  /// Rows `made` of x in blocks; then these blocks of the wide channels after the first activation, into their ring.
  void take_in(const Geometry& g, const Rings& rings, const f32_memory::Work& work, const Band& band, const float* x) const;
  void expand_blocks(const Geometry& g, const Rings& rings, const f32_memory::Weights& weights, const f32_memory::Work& work,
                     const Band& band, Range blocks) const;
  /// Both, for all blocks.
  void expand(const Geometry& g, const Rings& rings, const f32_memory::Weights& weights, const f32_memory::Work& work,
              const Band& band, const float* x) const;
  /// From there rows `out` after the depthwise convolution and `activation`, into work.filtered: these blocks, or all.
  void depthwise_blocks(const Geometry& g, const Rings& rings, const f32_memory::Weights& weights, const f32_memory::Work& work,
                        const Band& band, graph::Activation activation, Range blocks) const;
  void depthwise(const Geometry& g, const Rings& rings, const f32_memory::Weights& weights, const f32_memory::Work& work,
                 const Band& band, graph::Activation activation) const;
  /// From the ring of gradients those of rows `done` before the first activation, into work.expanded_gradient.
  void through_depthwise(const Geometry& g, const Rings& rings, const f32_memory::Weights& weights, const f32_memory::Work& work,
                         const Band& band, const f32_memory::Sums& sums) const;

 private:
  BlockKernels products_;
  BlockDepthwise* depthwise_;
  BlockDepthwiseBackward* depthwise_backward_;
};

}  // namespace fovea::cpu::block
