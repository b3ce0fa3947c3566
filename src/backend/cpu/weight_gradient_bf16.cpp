// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/weight_gradient_bf16.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/block/geometry.h"
#include "backend/cpu/block/workspace.h"
#include "backend/cpu/kernels/bf16/pair_sums.h"
#include "backend/cpu/kernels/column_sums.h"
#include "backend/cpu/paired_positions.h"
#include "backend/cpu/rows_ahead.h"
#include "backend/cpu/woven_band.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

using bf16::Bf16;
using bf16::kMostVectors;
using bf16::kPair;
using bf16::kVector;

/// Groups of positions have sums of their own, which pays from so many positions on, and are the same for any threads.
constexpr std::int64_t kGroups = 8;
constexpr std::int64_t kPositionsOfSums = 768;
/// Pairs of positions beside whose products it is little to load and store sums, and to weave the rows of x that the next ones
/// see too; and of those without a window, whose rows are read once.
constexpr std::int64_t kPairsOfBand = 400;
constexpr std::int64_t kPairsWithoutWindow = 800;

/// Of more columns sums would be carried to and fro for few positions.
constexpr std::int64_t kVectorsOfSlice = 20;

/// Into how many slices the columns of dy are cut, each of which weaves x for itself: so many that threads finish together.
/// What the sums are does not depend on it.
std::int64_t slices_for(std::int64_t groups, std::int64_t threads, std::int64_t vectors) {
  std::int64_t slices = up(vectors, kVectorsOfSlice);
  while (slices < vectors && groups * slices % threads != 0 && groups * slices < 2 * threads) ++slices;
  return slices;
}

/// Of x, of all images, that row `tap` of the window sees from a row of y, as far as it is there.
std::int64_t x_row(const PairedPositions& g, std::int64_t row, std::int64_t tap) {
  const std::int64_t in_image = row % g.out_height * g.window.stride + tap - g.window.pad.top;
  return row / g.out_height * g.height + std::clamp<std::int64_t>(in_image, 0, g.height);
}

/// What the next band reads, fetched while the sums of one are made: x was written long ago. `steps`: positions of which tiles of
/// sums are made meanwhile.
bf16::Upcoming read_by(const PairedPositions& g, const Arguments& a, const PairedPart& next, std::int64_t steps) {
  bf16::Upcoming upcoming;
  if (next.pairs() <= 0) return upcoming;
  const bool whole = g.by_images && next.rows.size() == g.sheet_rows();
  const std::int64_t sheet = next.sheets.begin, images = whole || !g.by_images ? 1 : 2;
  for (std::int64_t image = 0; image < images; ++image) {  // of a sheet's two; whole ones are one piece
    const std::int64_t y = g.first_row(sheet, next.rows.begin) + image * g.out_height;
    const std::int64_t rows = whole ? next.sheets.size() * 2 * g.out_height : (g.by_images ? 1 : 2) * next.rows.size();
    const Range of_y{y, std::min(y + rows, g.rows())};
    const Range of_x{x_row(g, of_y.begin, 0), x_row(g, of_y.end - 1, g.window.kernel_h)};
    upcoming.pieces[image] = rows_ahead(a.inputs[0], of_x, g.width * g.channels);
    upcoming.pieces[2 + image] = rows_ahead(a.inputs[1], of_y, g.out_width * g.columns);
  }
  upcoming.spread(steps);
  return upcoming;
}

class WeightGradient {
 public:
  WeightGradient(const Setup& setup, const graph::Conv2dBackwardWeight& op)
      : context_(setup.context),
        g_(op.window, setup.input(0), setup.input(1).back()),
        x_type_(setup.input_type(0)),
        dy_type_(setup.input_type(1)),
        bias_(op.bias),
        groups_(std::clamp<std::int64_t>(g_.pairs() * g_.out_width * 2 / kPositionsOfSums, 1,
                                         std::clamp<std::int64_t>(g_.pairs(), 1, kGroups))),
        slices_(slices_for(groups_, setup.context.threads, vectors())),
        vectors_((vectors() + slices_ - 1) / slices_),
        sums_(vectors() * kVector * (g_.window.kernel_h * g_.depth() + 1)),
        exact_bias_(setup.target, setup.context, Setup::rows(setup.input(1)), g_.columns) {
    part_bands();
    for (int tap = 0; tap < op.window.kernel_w; ++tap) seen_.push_back(g_.seeing_columns(tap));
  }

  [[nodiscard]] std::size_t scratch_bytes() const {
    const std::size_t own = Scratch(*this, nullptr).bytes;
    return std::max(own, exact_bias_.scratch_bytes());
  }

  void run(const Arguments& a) const {
    const Scratch scratch(*this, a.scratch);
    parallel_for(context_, groups_ * slices_, [&](std::int64_t part, int worker) {
      WovenBand band = this->band(scratch.bands + static_cast<std::size_t>(worker) * scratch.band_bytes);
      sum(a, part / slices_, part % slices_, band, scratch.sums);
    });
    const auto* const sums = scratch.sums;
    parallel_for(context_, vectors(), [&](std::int64_t vector) { total(sums, vector, a); });
    // What is added up to a bias is not rounded here.
    if (bias_ && dy_type_ == DType::kF32)
      exact_bias_.run(a.inputs[1].f32(), a.outputs[1].f32(), reinterpret_cast<float*>(a.scratch));
  }

 private:
  [[nodiscard]] WovenBand band(std::byte* memory) const {
    return {g_, std::max<std::int64_t>(sheets_, 1), rows_, vectors_, memory};
  }
  struct Scratch {
    Scratch(const WeightGradient& of, std::byte* memory) : band_bytes(of.band(nullptr).bytes()) {
      block::Pieces pieces(memory);
      sums = pieces.take<float>(of.groups_ * of.sums_);
      bands =
          pieces.take<std::byte>(static_cast<std::int64_t>(band_bytes) * std::min<std::int64_t>(of.context_.threads, of.parts()));
      bytes = pieces.bytes();
    }
    float* sums;
    std::byte* bands;
    std::size_t band_bytes, bytes;
  };

  [[nodiscard]] std::int64_t vectors() const { return up(g_.columns, kVector); }
  [[nodiscard]] std::int64_t parts() const { return groups_ * slices_; }
  /// As many positions as belong together; not more than fit in the second-level cache.
  void part_bands() {
    const std::int64_t row_pairs =
        (g_.by_images ? g_.window.stride : g_.window.kernel_h) * g_.cells * g_.channels + g_.out_width * vectors_ * kVector;
    const Range all{0, g_.pairs()};
    const std::int64_t fit = block::band_rows({&all, 1}, row_pairs * kPair * static_cast<std::int64_t>(sizeof(Bf16)));
    const std::int64_t most = std::min(fit, up(g_.taps() > 1 ? kPairsOfBand : kPairsWithoutWindow, g_.out_width));
    sheets_ = g_.by_images ? most / g_.sheet_rows() : 0;
    rows_ = up(g_.sheet_rows(), up(g_.sheet_rows(), most));
  }
  /// The next of the pairs of rows from `begin` to `end`: whole sheets, or rows of one.
  [[nodiscard]] PairedPart next_part(std::int64_t begin, std::int64_t end) const {
    const std::int64_t sheet = begin / g_.sheet_rows(), row = begin % g_.sheet_rows();
    const std::int64_t whole = row == 0 ? std::min((end - begin) / g_.sheet_rows(), sheets_) : 0;
    if (whole > 0) return {{sheet, sheet + whole}, {0, g_.sheet_rows()}};
    return {{sheet, sheet + 1}, {row, std::min({row + rows_, g_.sheet_rows(), row + end - begin})}};
  }
  /// Where the sums of a group of vectors begin, that starts at one of them; those of biases come behind all.
  [[nodiscard]] std::int64_t sums_of(std::int64_t vector) const { return vector * kVector * g_.window.kernel_h * g_.depth(); }
  [[nodiscard]] std::int64_t bias_sums_of(std::int64_t vector) const { return sums_of(vectors()) + vector * kVector; }

  /// The sums of a group of rows' pairs, for a slice of the columns.
  void sum(const Arguments& a, std::int64_t group, std::int64_t slice, WovenBand& band, float* sums) const {
    const Range all = part_of(g_.pairs(), groups_, group);
    const Range vectors = part_of(this->vectors(), slices_, slice);
    const std::int64_t tiles = vectors.size() * g_.window.kernel_h * bf16::sum_tiles(g_.depth(), kMostVectors) / kMostVectors;
    PairedPart next = next_part(all.begin, all.end);
    for (std::int64_t begin = all.begin; begin < all.end;) {
      const PairedPart part = next;
      const std::int64_t end = begin + part.pairs();
      band.weave(a.inputs[0], a.inputs[1], part, vectors);
      const std::int64_t further = end < all.end ? all.end : part_of(g_.pairs(), groups_, std::min(group + 1, groups_ - 1)).end;
      next = end < further ? next_part(end, further) : PairedPart{};  // often the next group is this thread's too
      bf16::Upcoming ahead = read_by(g_, a, next, part.pairs() * g_.out_width * tiles);
      add_band(part, vectors, band, begin == all.begin, sums + group * sums_, ahead);
      begin = end;
    }
  }

  void add_band(const PairedPart& part, Range vectors, const WovenBand& band, bool begin, float* sums,
                bf16::Upcoming& ahead) const {
    static constexpr Bf16 kOnes[kPair] = {0x3F80, 0x3F80};
    for (std::int64_t at = vectors.begin; at < vectors.end; at += kMostVectors) {
      const std::int64_t count = std::min(kMostVectors, vectors.end - at);
      bf16::PairSum sum{.a = {kOnes, 0, 0, 0},
                        .b = band.dy(part.rows.begin, at),
                        .sheets = part.sheets.size(),
                        .rows = part.rows.size(),
                        .columns = g_.out_width,
                        .channels = 1,
                        .vectors = count,
                        .sums = sums + bias_sums_of(at),
                        .half = g_.columns <= kVector / 2};
      if (bias_ && dy_type_ == DType::kBF16) bf16::sum_pairs(sum, begin, ahead.next());
      sum.channels = g_.depth();
      sum.seen = seen_.data();
      sum.tap = g_.channels;
      for (int tap = 0; tap < g_.window.kernel_h; ++tap) {
        const Range seeing = g_.seeing_rows(tap);
        const std::int64_t first = std::clamp(seeing.begin, part.rows.begin, part.rows.end);
        sum.rows = std::clamp(seeing.end, first, part.rows.end) - first;
        sum.a = band.x(tap, first);
        sum.b = band.dy(first, at);
        sum.sums = sums + sums_of(at) + tap * g_.depth() * count * kVector;
        bf16::sum_pairs(sum, begin, ahead.next());
      }
    }
  }

  /// The group of vectors, as they were added up, in which one is.
  [[nodiscard]] Range group_of(std::int64_t vector) const {
    for (std::int64_t slice = 0; slice < slices_; ++slice) {
      const Range r = part_of(vectors(), slices_, slice);
      if (vector >= r.end) continue;
      const std::int64_t begin = r.begin + (vector - r.begin) / kMostVectors * kMostVectors;
      return {begin, std::min(begin + kMostVectors, r.end)};
    }
    return {};
  }

  /// dw (K,C,R,S) and db, of a vector of outputs.
  void total(const float* sums, std::int64_t vector, const Arguments& a) const {
    const Range group = group_of(vector);
    const std::int64_t first = vector * kVector, count = std::min(kVector, g_.columns - first), taps = g_.taps();
    bf16::SumParts parts{sums + sums_of(group.begin), groups_, sums_, group.size()};
    float* const dw = a.outputs[0].f32() + first * g_.channels * taps;
    for (std::int64_t tap = 0; tap < taps; ++tap, parts.sums += g_.channels * group.size() * kVector)
      bf16::total_turned(parts, vector - group.begin, g_.channels, count, dw + tap, g_.channels * taps, taps);
    if (!bias_ || dy_type_ == DType::kF32) return;
    float* const db = a.outputs[1].f32() + first;
    for (std::int64_t k = 0; k < count; ++k) {
      db[k] = 0;
      for (std::int64_t p = 0; p < groups_; ++p) db[k] += sums[p * sums_ + bias_sums_of(vector) + k];
    }
  }

  Context context_;
  PairedPositions g_;
  DType x_type_, dy_type_;
  bool bias_;
  std::int64_t groups_;                 ///< of positions
  std::int64_t slices_;                 ///< of columns
  std::int64_t vectors_;                ///< of the largest slice
  std::int64_t sheets_ = 0, rows_ = 1;  ///< of a band: whole sheets, where there is room for one, or rows of one
  std::int64_t sums_;                   ///< floats of a group
  std::vector<Range> seen_;             ///< columns of y that see something of x, by the column of the window
  ColumnSums exact_bias_;
};

}  // namespace

KernelResult prepare_weight_gradient_bf16(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  const auto gradient = std::make_shared<const WeightGradient>(setup, op);
  return make_kernel({setup.bf16_kernel_name("conv2d_backward_weight"), 0, gradient->scratch_bytes(), std::nullopt},
                     [gradient](const Arguments& a) { gradient->run(a); });
}

}  // namespace fovea::cpu
