// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/live_correction.h"

#include <algorithm>

#include "core/parallel.h"

namespace fovea::cpu::block {
namespace {

using namespace f32_memory;

constexpr std::int64_t kRowsTogether = 256;

}  // namespace

struct LiveCorrection::Memory {
  Memory(const Context& context, const Geometry& g, std::byte* memory) {
    const std::int64_t panels = blocks_of(g.in), most = std::max(kRowsTogether, g.inner);
    Pieces pieces(memory);
    slope = pieces.take<float>(g.inner);
    scaled = pieces.take<float>(g.inner * g.in);
    in_blocks = pieces.take<float>(panels * g.inner * kBlockChannels);
    matrix = pieces.take<float>(panels * g.in * kBlockChannels);
    constant = pieces.take<float>(panels * kBlockChannels);
    place = pieces.take<std::int32_t>(most);
    for_each_thread = (g.in + panels * kBlockChannels) * kRowsTogether;
    rows = pieces.take<float>(context.threads * for_each_thread);
    bytes = pieces.bytes();
  }

  float* slope;         ///< (inner): -s r dge / n
  float* scaled;        ///< (inner, in): we times that
  float* in_blocks;     ///< the same in blocks
  float* matrix;        ///< (panel of in, in, 16): -W' diag(s r dge / n) W
  float* constant;      ///< (in), up to whole blocks: -W' s dbe / n
  std::int32_t* place;  ///< in order
  float* rows;          ///< of each thread: some of x - mean, and the same in blocks
  std::int64_t for_each_thread;
  std::size_t bytes;
};

LiveCorrection::LiveCorrection(const Context& context, const Geometry& g, Target target)
    : context_(context), g_(g), products_(block_kernels(target)), norms_(block_norm_kernels(target)) {}

std::size_t LiveCorrection::scratch_bytes(const Context& context, const Geometry& g) { return Memory(context, g, nullptr).bytes; }

void LiveCorrection::run(const Arguments& a, const LiveExpansion& expansion, const Sums& sums, std::byte* scratch) const {
  const Memory memory(context_, g_, scratch);
  for (std::int64_t i = 0; i < std::max(kRowsTogether, g_.inner); ++i)
    memory.place[i] = static_cast<std::int32_t>(i * kBlockChannels);
  correct_weights(a, expansion, sums, memory);
  make_matrix(a, expansion, sums, memory);
  correct_input(a, expansion, memory);
}

void LiveCorrection::correct_weights(const Arguments& a, const LiveExpansion& expansion, const Sums& sums,
                                     const Memory& memory) const {
  const float* we = a.inputs[1].f32();
  float* dwe = a.outputs[1].f32();
  const LiveNorm& norm = expansion.norm;
  const auto count = static_cast<float>(g_.images * g_.height * g_.width);
  unpack_panels(context_, sums.expand, g_.in, g_.inner, 1, g_.in, dwe);
  std::copy_n(sums.expand_bias, g_.inner, a.outputs[3].f32());
  parallel_ranges(context_, g_.inner, 16, [&](Range range) {
    for (std::int64_t e = range.begin; e < range.end; ++e) {
      const std::int64_t at = e * g_.in;
      double product = 0;
      for (std::int64_t c = at; c < at + g_.in; ++c) product += static_cast<double>(we[c]) * static_cast<double>(dwe[c]);
      const float dge = norm.inverse[e] * static_cast<float>(product);
      a.outputs[2].f32()[e] = dge;
      const float slope = norm.inverse[e] * dge;
      for (std::int64_t c = at; c < at + g_.in; ++c) dwe[c] = norm.scale[e] * (dwe[c] - slope * expansion.w_covariance[c]);
      memory.slope[e] = -norm.scale[e] * slope / count;
      for (std::int64_t c = at; c < at + g_.in; ++c) memory.scaled[c] = we[c] * memory.slope[e];
    }
  });
}

void LiveCorrection::make_matrix(const Arguments& a, const LiveExpansion& expansion, const Sums& sums,
                                 const Memory& memory) const {
  const float* we = a.inputs[1].f32();
  const std::int64_t panels = blocks_of(g_.in), block = g_.inner * kBlockChannels, panel = g_.in * kBlockChannels;
  products_.to_blocks(memory.scaled, g_.inner, g_.in, {memory.in_blocks, block, memory.place});
  parallel_for(context_, panels, [&](std::int64_t j) {
    std::fill_n(memory.matrix + j * panel, panel, 0.0F);
    products_.outer(we, g_.in, g_.inner, memory.in_blocks + j * block, block, 1, memory.matrix + j * panel);
  });
  const double count = static_cast<double>(g_.images * g_.height * g_.width);
  for (std::int64_t c = 0; c < panels * kBlockChannels; ++c) {
    double sum = 0;
    for (std::int64_t e = 0; c < g_.in && e < g_.inner; ++e)
      sum += static_cast<double>(expansion.weights[e * g_.in + c]) * static_cast<double>(sums.expand_bias[e]);
    memory.constant[c] = static_cast<float>(-sum / count);
  }
}

void LiveCorrection::correct_input(const Arguments& a, const LiveExpansion& expansion, const Memory& memory) const {
  const std::int64_t rows = g_.images * g_.height * g_.width, block = kRowsTogether * kBlockChannels;
  parallel_for(context_, (rows + kRowsTogether - 1) / kRowsTogether, [&](std::int64_t i, int worker) {
    const std::int64_t first = i * kRowsTogether, count = std::min(kRowsTogether, rows - first);
    float* const centred = memory.rows + worker * memory.for_each_thread;
    float* const in_blocks = centred + kRowsTogether * g_.in;
    float* const dx = a.outputs[0].f32() + first * g_.in;
    norms_.centre(a.inputs[0].f32() + first * g_.in, count, g_.in, expansion.centre, centred);
    products_.to_blocks(centred, count, g_.in, {in_blocks, block, memory.place});
    products_.narrow({in_blocks, block, count, g_.in, memory.matrix, blocks_of(g_.in)}, g_.in, memory.constant, dx,
                     graph::Activation::kNone, nullptr, dx);
  });
}

}  // namespace fovea::cpu::block
