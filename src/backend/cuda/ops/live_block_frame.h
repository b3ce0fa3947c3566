// Fovea: what both passes of an inverted residual block with the batch's own statistics share.
// SPDX-License-Identifier: Apache-2.0
//
// Statistics need every position before the next step can begin at any, so a block is several passes over its batch, each a few
// images at a time, so few that the wide activations stay in half of the second-level cache. Of these only v, which is an output,
// and in the backward pass the gradient before the first activation go through memory; the expanded activations are computed anew
// in each pass that reads them, twice on the way back: their statistics are known from the way there. T is what products read and
// wide tensors are stored as.
#pragma once

#include "backend/cuda/kernels/norm.h"
#include "backend/cuda/ops/residual_frame.h"

namespace fovea::cuda {

/// The inputs of either pass by name; of the forward one up to wp.
template <class T>
struct LiveOperands {
  const float *x, *we = nullptr, *ge = nullptr, *be = nullptr, *wd, *gd, *bd, *wp;
  const T* v = nullptr;
  const float *me = nullptr, *se = nullptr, *md = nullptr, *sd = nullptr, *dy = nullptr;

  LiveOperands(const Arguments& a, std::size_t at)
      : x(a.inputs[0].f32()),
        wd(a.inputs[at].f32()),
        gd(a.inputs[at + 1].f32()),
        bd(a.inputs[at + 2].f32()),
        wp(a.inputs[at + 3].f32()) {
    if (at == 4) {
      we = a.inputs[1].f32();
      ge = a.inputs[2].f32();
      be = a.inputs[3].f32();
    }
    if (a.inputs.size() == at + 4) return;
    v = numbers_of<const T>(a.inputs[at + 4]);
    const std::size_t md_at = a.inputs.size() - 3;
    if (at == 4) {
      me = a.inputs[md_at - 2].f32();
      se = a.inputs[md_at - 1].f32();
    }
    md = a.inputs[md_at].f32();
    sd = a.inputs[md_at + 1].f32();
    dy = a.inputs[md_at + 2].f32();
  }
};

template <class T>
struct LiveFrame : ResidualFrame<T> {
  using Base = ResidualFrame<T>;
  using Base::chunks, Base::expand, Base::in, Base::inner, Base::operand, Base::out_rows, Base::plane, Base::rows,
      Base::with_items, Base::x_stride;
  using typename Base::Packed;

  graph::InvertedResidualTrain op;
  std::size_t at;                     ///< the input that is wd
  SumsGrid wide_grid, filtered_grid;  ///< of sums over positions of x and of v, a chunk's

  LiveFrame(const Setup& setup, const graph::InvertedResidualTrain& block, const Shape& y)
      : Base(setup, block, 0, y), op(block), at(depthwise_weight(block)) {}

  Result<void> prepare(const Setup& setup, std::size_t wide, std::size_t filtered) {
    FOVEA_TRY(Base::prepare(setup, wide, filtered, Number::kF32, false));
    wide_grid = row_grid(rows(chunks.images), inner);
    filtered_grid = row_grid(out_rows(chunks.images), inner);
    return {};
  }
  void pack(Machine& machine, const Arguments& a) const {
    const LiveOperands<T> o(a, at);
    Base::pack(machine.stream(), o.we, nullptr, o.wd, o.wp, Base::packed(a.packed));
  }
  [[nodiscard]] NormVectors second_norm(const LiveOperands<T>& o, const float* mean, const float* var) const {
    return {o.gd, o.bd, mean, var, op.eps};
  }

  /// Between the block's ends, of a chunk.
  struct Inside {
    T* x;                  ///< (rows, x_stride), only where rounded
    float* expanded;       ///< (rows, E): sums; only where x is expanded
    T* wide;               ///< (rows, E): normalised and activated; only where x is expanded
    T* filtered;           ///< (out rows, E): the same of v
    float* pivot;          ///< (E); where moments are found
    float* wide_sums;      ///< partial sums of wide_grid; where moments are found
    float* filtered_sums;  ///< and of filtered_grid
  };
  /// `finds_moments`: the forward pass; the other one is given them.
  [[nodiscard]] Inside inside(Pieces& pieces, bool finds_moments) const {
    const std::int64_t wide = op.expands ? rows(chunks.images) * inner : 0;
    Inside made{};
    made.x = pieces.take<T>(kRounds<T> ? rows(chunks.images) * x_stride : 0);
    made.expanded = pieces.take<float>(wide);
    made.wide = pieces.take<T>(wide);
    made.filtered = pieces.take<T>(out_rows(chunks.images) * inner);
    made.pivot = pieces.take<float>(finds_moments ? inner : 0);
    made.wide_sums = pieces.take<float>(finds_moments && op.expands ? partial_floats(wide_grid, 2, inner) : 0);
    made.filtered_sums = pieces.take<float>(partial_floats(filtered_grid, 2, inner));
    return made;
  }

  /// The images from `first` on as an operand.
  const T* operand_of(Machine& machine, const LiveOperands<T>& o, const Inside& m, int first, int images) const {
    return operand(machine.stream(), o.x + rows(first) * in, m.x, rows(images), in, x_stride, 0);
  }
  /// The first convolution's sums; returns x as their operand.
  const T* expand_chunk(Machine& machine, const LiveOperands<T>& o, const Packed& p, const Inside& m, int first,
                        int images) const {
    const T* x = operand_of(machine, o, m, first, images);
    expand.of(images).run(machine.stream(), x, operand(o.we, p.we), nullptr, nullptr, m.expanded);
    return x;
  }
  /// Their mean and variance over the batch.
  void find_expansion(Machine& machine, const LiveOperands<T>& o, const Packed& p, const Inside& m, float* mean,
                      float* var) const {
    const Stream stream = machine.stream();
    chunks.for_each([&](int first, int images) {
      expand_chunk(machine, o, p, m, first, images);
      add_moments(stream, static_cast<const float*>(m.expanded), m, wide_grid, rows(images), m.wide_sums, first > 0);
    });
    finish_moments(stream, m.wide_sums, wide_grid.parts, m.pivot, plane.rows(), inner, mean, var);
  }
  template <class X>
  void add_moments(Stream stream, const X* x, const Inside& m, const SumsGrid& grid, std::int64_t items, float* sums,
                   bool add) const {
    if (!add) first_row(stream, x, inner, m.pivot);
    moments(stream, x, m.pivot, inner, with_items(grid, items), sums, add);
  }
  /// What the depthwise convolution reads.
  const T* wide_of(Machine& machine, const LiveOperands<T>& o, const Packed& p, const Inside& m, const NormVectors& norm,
                   int first, int images) const {
    if (!op.expands) return operand_of(machine, o, m, first, images);
    expand_chunk(machine, o, p, m, first, images);
    normalise(machine.stream(), static_cast<const float*>(m.expanded), norm, op.activation, m.wide, rows(images), inner);
    return m.wide;
  }
};

}  // namespace fovea::cuda
