// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/weight_gradient_bf16.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "backend/cpu/block/geometry.h"
#include "backend/cpu/block/workspace.h"
#include "backend/cpu/kernels/bf16/pair_sums.h"
#include "backend/cpu/kernels/column_sums.h"
#include "backend/numbers_of.h"
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
/// Pairs of positions beside whose products it is little to load and store sums.
constexpr std::int64_t kPairsOfBand = 160;

/// Rows of y come in pairs, through all images: what is paired are positions one above the other, so that a tap moves x by whole
/// pairs.
struct PairedRows {
  graph::Window window;
  std::int64_t images, height, width, channels;  ///< of x
  std::int64_t out_height, out_width, columns;   ///< of y
  std::int64_t cells;                            ///< positions of x that a row of y sees, with its padding

  PairedRows(const graph::Window& w, const Shape& x, std::int64_t outputs)
      : window(w), images(x[0]), height(x[1]), width(x[2]), channels(x[3]), columns(outputs) {
    out_height = graph::window_extent(height, w.kernel_h, w.stride, w.pad.top, w.pad.bottom);
    out_width = graph::window_extent(width, w.kernel_w, w.stride, w.pad.left, w.pad.right);
    cells = (out_width - 1) * w.stride + w.kernel_w;
  }
  [[nodiscard]] std::int64_t rows() const { return images * out_height; }
  [[nodiscard]] std::int64_t pairs() const { return (rows() + 1) / 2; }
  /// Rows of x, of all images, from the first to the last that pairs of rows of y see.
  [[nodiscard]] Range seen(Range of_pairs) const {
    const auto at = [&](std::int64_t row, std::int64_t tap) {
      const std::int64_t in_image = row % out_height * window.stride + tap - window.pad.top;
      return row / out_height * height + std::clamp<std::int64_t>(in_image, 0, height);
    };
    return {at(2 * of_pairs.begin, 0), at(std::min(2 * of_pairs.end, rows()) - 1, window.kernel_h)};
  }
  [[nodiscard]] std::int64_t vectors() const { return (columns + kVector - 1) / kVector; }
  /// A row of the window over its channels lies in one piece: so many rows has the product of one of its rows.
  [[nodiscard]] std::int64_t depth() const { return window.kernel_w * channels; }
  [[nodiscard]] std::int64_t taps() const { return std::int64_t{window.kernel_h} * window.kernel_w; }
};

/// Into how many slices the columns of dy are cut, each of which weaves x for itself: so many that threads finish together.
/// What the sums are does not depend on it.
std::int64_t slices_for(std::int64_t groups, std::int64_t threads, std::int64_t vectors) {
  std::int64_t slices = 1;
  while (slices < vectors && groups * slices % threads != 0 && groups * slices < 2 * threads) ++slices;
  return slices;
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
        slices_(slices_for(groups_, setup.context.threads, g_.vectors())),
        vectors_((g_.vectors() + slices_ - 1) / slices_),
        band_(band_of()),
        sums_(g_.vectors() * kVector * (g_.window.kernel_h * g_.depth() + 1)),
        exact_bias_(setup.target, setup.context, Setup::rows(setup.input(1)), g_.columns) {}

  [[nodiscard]] std::size_t scratch_bytes() const {
    const std::size_t own = Scratch(*this, nullptr).bytes;
    return std::max(own, exact_bias_.scratch_bytes());
  }

  void run(const Arguments& a) const {
    const Scratch scratch(*this, a.scratch);
    parallel_for(context_, groups_ * slices_, [&](std::int64_t part, int worker) {
      Band band(*this, scratch.bands + static_cast<std::size_t>(worker) * scratch.band_bytes);
      sum(a, part / slices_, part % slices_, band, scratch.sums);
    });
    const auto* const sums = scratch.sums;
    parallel_for(context_, g_.vectors(), [&](std::int64_t vector) { total(sums, vector, a); });
    // What is added up to a bias is not rounded here.
    if (bias_ && dy_type_ == DType::kF32)
      exact_bias_.run(a.inputs[1].f32(), a.outputs[1].f32(), reinterpret_cast<float*>(a.scratch));
  }

 private:
  /// Woven rows of a band: of x for each row of the window, and of dy.
  struct Band {
    Band(const WeightGradient& of, std::byte* memory) {
      const PairedRows& g = of.g_;
      block::Pieces pieces(memory);
      x_row = g.cells * g.channels;
      x_tap = of.band_ * x_row;
      dy_row = g.out_width * of.vectors_ * kVector;
      x = pieces.take<Bf16>(g.window.kernel_h * x_tap * kPair);
      dy = pieces.take<Bf16>(of.band_ * dy_row * kPair);
      bytes = pieces.bytes();
    }
    Bf16* x;
    Bf16* dy;
    std::int64_t x_row, x_tap, dy_row;  ///< in pairs
    std::size_t bytes;
  };
  struct Scratch {
    Scratch(const WeightGradient& of, std::byte* memory) : band_bytes(Band(of, nullptr).bytes) {
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

  [[nodiscard]] std::int64_t parts() const { return groups_ * slices_; }
  [[nodiscard]] std::int64_t band_of() const {
    const std::int64_t pairs = g_.window.kernel_h * g_.cells * g_.channels + g_.out_width * vectors_ * kVector;
    const Range all{0, (g_.pairs() + groups_ - 1) / groups_};
    const std::int64_t fit = block::band_rows({&all, 1}, pairs * kPair * static_cast<std::int64_t>(sizeof(Bf16)));
    return std::min(fit, (kPairsOfBand + g_.out_width - 1) / g_.out_width);
  }
  /// Where the sums of a group of vectors begin, that starts at one of them; those of biases come behind all.
  [[nodiscard]] std::int64_t sums_of(std::int64_t vector) const { return vector * kVector * g_.window.kernel_h * g_.depth(); }
  [[nodiscard]] std::int64_t bias_sums_of(std::int64_t vector) const { return sums_of(g_.vectors()) + vector * kVector; }

  /// The row of x under row `row` of y, of all images, and row `tap` of the window; null where there is none.
  template <class Number>
  [[nodiscard]] const Number* x_row(const TensorView& x, std::int64_t row, int tap) const {
    if (row >= g_.rows()) return nullptr;
    const std::int64_t at = row % g_.out_height * g_.window.stride + tap - g_.window.pad.top;
    if (at < 0 || at >= g_.height) return nullptr;
    return numbers_of<const Number>(x) + (row / g_.out_height * g_.height + at) * g_.width * g_.channels;
  }

  /// Pair `pair` of rows of dy, columns from `first` on, woven.
  template <class Number>
  void weave_dy(const TensorView& dy, std::int64_t pair, Range vectors, Bf16* to) const {
    const std::int64_t row = g_.out_width * g_.columns;
    const auto* const first = numbers_of<const Number>(dy) + 2 * pair * row;
    const auto* const second = 2 * pair + 1 < g_.rows() ? first + row : nullptr;
    const std::int64_t begin = vectors.begin * kVector, count = std::min(vectors.size() * kVector, g_.columns - begin);
    if (count == g_.columns && count == vectors.size() * kVector) {
      bf16::weave(first, second, g_.out_width * count, to);
      return;
    }
    for (std::int64_t i = 0; i < g_.out_width; ++i, to += vectors.size() * kVector * kPair) {
      const std::int64_t at = i * g_.columns + begin;
      bf16::weave(first + at, second == nullptr ? nullptr : second + at, count, to);
      std::fill(to + count * kPair, to + vectors.size() * kVector * kPair, Bf16{0});
    }
  }

  /// What pair `pair` of rows of y sees of x under row `tap` of the window, with its padding.
  template <class Number>
  void weave_x(const TensorView& x, std::int64_t pair, int tap, Bf16* to) const {
    const auto *const first = x_row<Number>(x, 2 * pair, tap), *const second = x_row<Number>(x, 2 * pair + 1, tap);
    const std::int64_t left = std::min<std::int64_t>(g_.window.pad.left, g_.cells), inside = std::min(g_.cells - left, g_.width);
    const std::int64_t cell = g_.channels * kPair;
    std::fill_n(to, left * cell, Bf16{0});
    bf16::weave(first, second, inside * g_.channels, to + left * cell);
    std::fill_n(to + (left + inside) * cell, (g_.cells - left - inside) * cell, Bf16{0});
  }

  /// The sums of a group of rows' pairs, for a slice of the columns.
  void sum(const Arguments& a, std::int64_t group, std::int64_t slice, const Band& band, float* sums) const {
    const Range all = part_of(g_.pairs(), groups_, group);
    const Range vectors = part_of(g_.vectors(), slices_, slice);
    for (std::int64_t begin = all.begin; begin < all.end; begin += band_) {
      const Range pairs{begin, std::min(begin + band_, all.end)};
      weave_band(a, pairs, vectors, band);
      const std::int64_t tiles = vectors.size() * g_.window.kernel_h * bf16::sum_tiles(g_.depth(), kMostVectors) / kMostVectors;
      AheadOfBand ahead(*this, a, pairs, {pairs.end, std::min(pairs.end + band_, g_.pairs())},
                        pairs.size() * g_.out_width * tiles);
      add_band(pairs.size(), vectors, band, begin == all.begin, sums + group * sums_, ahead);
    }
  }

  void weave_band(const Arguments& a, Range pairs, Range vectors, const Band& band) const {
    const std::int64_t dy_row = g_.out_width * vectors.size() * kVector * kPair;
    for (std::int64_t pair = pairs.begin; pair < pairs.end; ++pair) {
      Bf16* const dy = band.dy + (pair - pairs.begin) * dy_row;
      dy_type_ == DType::kF32 ? weave_dy<float>(a.inputs[1], pair, vectors, dy) : weave_dy<Bf16>(a.inputs[1], pair, vectors, dy);
      for (int tap = 0; tap < g_.window.kernel_h; ++tap) {
        Bf16* const x = band.x + (tap * band.x_tap + (pair - pairs.begin) * band.x_row) * kPair;
        x_type_ == DType::kF32 ? weave_x<float>(a.inputs[0], pair, tap, x) : weave_x<Bf16>(a.inputs[0], pair, tap, x);
      }
    }
  }

  /// What the next band reads, fetched while the sums of one are made: x was written long ago.
  class AheadOfBand {
   public:
    /// `steps`: positions of which tiles of sums are made meanwhile.
    AheadOfBand(const WeightGradient& of, const Arguments& a, Range here, Range next, std::int64_t steps) {
      const PairedRows& g = of.g_;
      if (next.size() <= 0 || g.rows() == 0) return;
      const std::int64_t x_row = g.width * g.channels, dy_row = g.out_width * g.columns;
      ranges_[0] = bytes_of(a.inputs[0], std::max(g.seen(here).end, g.seen(next).begin) * x_row, g.seen(next).end * x_row);
      ranges_[1] = bytes_of(a.inputs[1], 2 * next.begin * dy_row, std::min(2 * next.end, g.rows()) * dy_row);
      std::int64_t bytes = 0;
      for (const bf16::Ahead& range : ranges_) bytes += std::max<std::int64_t>(range.end - range.at, 0);
      for (bf16::Ahead& range : ranges_) range.lines = bytes / bf16::kCacheLine / std::max<std::int64_t>(steps, 1) + 1;
    }
    /// The first range that is not fetched yet.
    [[nodiscard]] bf16::Ahead& next() { return ranges_[0].at < ranges_[0].end ? ranges_[0] : ranges_[1]; }

   private:
    static bf16::Ahead bytes_of(const TensorView& tensor, std::int64_t begin, std::int64_t end) {
      const auto size = static_cast<std::int64_t>(size_of(tensor.dtype));
      return {tensor.data + begin * size, tensor.data + end * size, 0};
    }
    bf16::Ahead ranges_[2];
  };

  void add_band(std::int64_t rows, Range vectors, const Band& band, bool begin, float* sums, AheadOfBand& ahead) const {
    static constexpr Bf16 kOnes[kPair] = {0x3F80, 0x3F80};
    const std::int64_t position = vectors.size() * kVector;
    for (std::int64_t at = vectors.begin; at < vectors.end; at += kMostVectors) {
      const std::int64_t count = std::min(kMostVectors, vectors.end - at);
      bf16::PairSum sum{.a = {kOnes, 0, 0},
                        .b = {band.dy + (at - vectors.begin) * kVector * kPair, g_.out_width * position, position},
                        .rows = rows,
                        .columns = g_.out_width,
                        .channels = 1,
                        .vectors = count,
                        .sums = sums + bias_sums_of(at),
                        .half = g_.columns <= kVector / 2};
      if (bias_ && dy_type_ == DType::kBF16) bf16::sum_pairs(sum, begin, ahead.next());
      sum.channels = g_.depth();
      for (int tap = 0; tap < g_.window.kernel_h; ++tap) {
        sum.a = {band.x + tap * band.x_tap * kPair, band.x_row, g_.window.stride * g_.channels};
        sum.sums = sums + sums_of(at) + tap * g_.depth() * count * kVector;
        bf16::sum_pairs(sum, begin, ahead.next());
      }
    }
  }

  /// The group of vectors, as they were added up, in which one is.
  [[nodiscard]] Range group_of(std::int64_t vector) const {
    for (std::int64_t slice = 0; slice < slices_; ++slice) {
      const Range r = part_of(g_.vectors(), slices_, slice);
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
  PairedRows g_;
  DType x_type_, dy_type_;
  bool bias_;
  std::int64_t groups_;   ///< of positions
  std::int64_t slices_;   ///< of columns
  std::int64_t vectors_;  ///< of the largest slice
  std::int64_t band_;     ///< pairs of rows
  std::int64_t sums_;     ///< floats of a group
  ColumnSums exact_bias_;
};

}  // namespace

KernelResult prepare_weight_gradient_bf16(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  const auto gradient = std::make_shared<const WeightGradient>(setup, op);
  return make_kernel({setup.bf16_kernel_name("conv2d_backward_weight"), 0, gradient->scratch_bytes(), std::nullopt},
                     [gradient](const Arguments& a) { gradient->run(a); });
}

}  // namespace fovea::cpu
