// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/convolution_bf16.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "backend/cpu/block/workspace.h"
#include "backend/cpu/dense_work.h"
#include "backend/cpu/kernels/bf16/row_product.h"
#include "backend/cpu/padded_row.h"
#include "backend/numbers_of.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

using bf16::Bf16;
using bf16::kMostColumnVectors;
using bf16::Results;

constexpr std::int64_t kColumns = 16;  ///< of a vector
constexpr std::int64_t kGroupColumns = kMostColumnVectors * kColumns;
constexpr std::int64_t kPair = 2;
constexpr std::int64_t kPiece = 32;  ///< numbers of a column that are packed at once
/// What of x is read again and again, for group after group of columns, beside their weights.
constexpr std::int64_t kBytesOfX = std::int64_t{128} << 10;
/// Parts for each thread, so that one that is held up costs little.
constexpr std::int64_t kPartsPerThread = 4;

/// How the work is parted does not show in the bits.
class Convolution {
 public:
  Convolution(const Setup& setup, const DenseWork& work, graph::Activation activation)
      : context_(setup.context),
        work_(work),
        activation_(activation),
        x_type_(setup.input_type(0)),
        pairs_(up(work.depth(), kPair)),
        in_place_(work.reads_in_place() && x_type_ == DType::kBF16 && work.channels % kPair == 0),
        one_run_(work.kernel_h == 1 && work.out_width == 1),
        row_(in_place_ ? work.channels : up(work.seen_width() * work.channels, kPair) * kPair) {
    const std::int64_t bytes = row_ * static_cast<std::int64_t>(sizeof(Bf16));
    const std::int64_t fit = std::max<std::int64_t>((kBytesOfX / bytes - work_.kernel_h) / work_.stride + 1, 1);
    bands_ = up(work_.out_height, one_run_ ? std::max(fit / bf16::kMostPositions, std::int64_t{1}) * bf16::kMostPositions : fit);
    rows_ = up(work_.out_height, std::max<std::int64_t>(bands_, 1));
    const std::int64_t parts = work_.images * bands_;
    slices_ = std::clamp<std::int64_t>(up(kPartsPerThread * context_.threads, std::max<std::int64_t>(parts, 1)), 1, groups());
    if (context_.threads == 1) slices_ = 1;
  }

  [[nodiscard]] std::size_t packed_bytes() const { return Packed(*this, nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const {
    return in_place_ ? 0 : static_cast<std::size_t>(context_.threads) * band_bytes();
  }

  void pack(const float* w, const float* bias, std::byte* memory) const {
    const Packed packed(*this, memory);
    std::fill_n(packed.bias, vectors() * kColumns, 0.0F);
    if (bias != nullptr) std::copy_n(bias, work_.columns, packed.bias);
    parallel_for(context_, vectors(), [&](std::int64_t vector) { pack_vector(w, vector, packed); });
  }

  void run(const TensorView& x, std::byte* memory, std::byte* scratch, const Results& y, const Results& slope) const {
    const Packed packed(*this, memory);
    parallel_for(context_, work_.images * bands_ * slices_, [&](std::int64_t part, int worker) {
      const std::int64_t slice = part % slices_, band = part / slices_ % bands_, image = part / slices_ / bands_;
      const Range rows{band * rows_, std::min((band + 1) * rows_, work_.out_height)};
      if (rows.size() <= 0) return;
      const Bf16* seen = nullptr;
      if (in_place_) {
        seen = numbers_of<const Bf16>(x) + rows.begin * row_;
      } else {
        auto* const copy = reinterpret_cast<Bf16*>(scratch + static_cast<std::size_t>(worker) * band_bytes());
        x_type_ == DType::kF32 ? copy_band(x.f32(), image, rows, copy) : copy_band(numbers_of<const Bf16>(x), image, rows, copy);
        seen = copy;
      }
      for (std::int64_t group = part_of(groups(), slices_, slice).begin; group < part_of(groups(), slices_, slice).end; ++group)
        multiply(seen, packed, group, image, rows, y, slope);
    });
  }

 private:
  struct Packed {
    Packed(const Convolution& of, std::byte* memory) {
      block::Pieces pieces(memory);
      w = pieces.take<Bf16>(of.vectors() * of.vector_weights());
      bias = pieces.take<float>(of.vectors() * kColumns);
      bytes = pieces.bytes();
    }
    Bf16* w;
    float* bias;
    std::size_t bytes;
  };

  [[nodiscard]] std::int64_t vectors() const { return up(work_.columns, kColumns); }
  [[nodiscard]] std::int64_t groups() const { return up(vectors(), kMostColumnVectors); }
  [[nodiscard]] std::int64_t vectors_of(std::int64_t group) const {
    return std::min(kMostColumnVectors, vectors() - group * kMostColumnVectors);
  }
  /// Packed numbers of a vector of columns.
  [[nodiscard]] std::int64_t vector_weights() const { return work_.kernel_h * pairs_ * kPair * kColumns; }
  [[nodiscard]] std::size_t band_bytes() const {
    // The last position of a row may see one number more, which a weight of zero meets.
    return align_up(static_cast<std::size_t>(work_.seen_rows(rows_) * row_ + kPair) * sizeof(Bf16));
  }

  /// 16 columns of each kernel row, rounded, to (kernel row, pair, 16, 2).
  void pack_vector(const float* w, std::int64_t vector, const Packed& packed) const {
    const std::int64_t group = vector / kMostColumnVectors, in_group = vectors_of(group), first = vector * kColumns;
    const std::int64_t count = std::min(kColumns, work_.columns - first);
    Bf16* to = packed.w + group * kMostColumnVectors * vector_weights();
    w += work_.w.first + first * work_.w.column;
    for (std::int64_t row = 0; row < work_.kernel_h; ++row) {
      for (std::int64_t pair = 0; pair < pairs_; pair += kPiece / kPair) {
        const std::int64_t pairs = std::min(kPiece / kPair, pairs_ - pair);
        Bf16 columns[kColumns * kPiece];
        for (std::int64_t k = 0; k < count; ++k)
          round_piece(w + k * work_.w.column + row * work_.w.row, pair * kPair, columns + k * kPiece);
        bf16::pack_columns(columns, kPiece, count, pairs, in_group, vector % kMostColumnVectors, to);
        to += pairs * in_group * kPair * kColumns;
      }
    }
  }
  /// kPiece numbers of a kernel row of a column from `first` on, zeros beyond its last.
  void round_piece(const float* w, std::int64_t first, Bf16* to) const {
    const std::int64_t count = std::min(kPiece, work_.depth() - first);
    if (work_.w.channel == 1 && count == kPiece && first / work_.channels == (first + count - 1) / work_.channels)
      return bf16::round(w + first / work_.channels * work_.w.tap + first % work_.channels, count, to);
    float numbers[kPiece] = {};
    std::int64_t tap = first / work_.channels, c = first % work_.channels;
    for (std::int64_t i = 0; i < count; ++i) {
      numbers[i] = w[tap * work_.w.tap + c * work_.w.channel];
      if (++c == work_.channels) c = 0, ++tap;
    }
    bf16::round(numbers, kPiece, to);
  }

  static void copy(const float* from, std::int64_t count, Bf16* to) { bf16::round(from, count, to); }
  static void copy(const Bf16* from, std::int64_t count, Bf16* to) { std::copy_n(from, count, to); }

  /// The rows of an image that `rows` of y see, with zeros around.
  template <class Number>
  void copy_band(const Number* x, std::int64_t image, Range rows, Bf16* to) const {
    const std::int64_t c = work_.channels, numbers = work_.seen_width() * c;
    std::int64_t at = rows.begin * work_.stride + work_.first_row;
    x += image * work_.height * work_.width * c;
    for (std::int64_t i = 0; i < work_.seen_rows(rows.size()); ++i, ++at, to += row_) {
      if (at < 0 || at >= work_.height) {
        std::fill_n(to, row_, Bf16{0});
        continue;
      }
      copy_padded_row(x + at * work_.width * c, work_.width, c, work_.first_column, work_.seen_width(), to,
                      [](const Number* from, std::int64_t count, Bf16* target) { copy(from, count, target); });
      std::fill_n(to + numbers, row_ - numbers, Bf16{0});
    }
    std::fill_n(to, kPair, Bf16{0});
  }

  /// `rows` of y of an image, a group of its columns.
  void multiply(const Bf16* seen, const Packed& packed, std::int64_t group, std::int64_t image, Range rows, const Results& y,
                const Results& slope) const {
    const std::int64_t first = group * kGroupColumns;
    bf16::RowProduct product{seen,
                             one_run_ ? rows.size() : work_.out_width,
                             one_run_ ? row_ * work_.stride : work_.stride * work_.channels,
                             work_.kernel_h,
                             row_,
                             pairs_,
                             packed.w + group * kMostColumnVectors * vector_weights(),
                             packed.bias + first,
                             std::min(kGroupColumns, work_.columns - first),
                             activation_,
                             {},
                             {}};
    for (std::int64_t i = rows.begin; i < (one_run_ ? rows.begin + 1 : rows.end); ++i) {
      const std::int64_t at = work_.y.first + image * work_.y.image + i * work_.y.row + first;
      product.y = results_at(y, at);
      product.slope = results_at(slope, at);
      bf16::multiply_rows(product);
      product.x += work_.stride * row_;
    }
  }
  [[nodiscard]] Results results_at(const Results& all, std::int64_t number) const {
    if (all.data == nullptr) return all;
    const auto bytes = static_cast<std::int64_t>(all.rounded ? sizeof(Bf16) : sizeof(float));
    return {all.data + number * bytes, all.rounded, work_.y.position};
  }

  Context context_;
  DenseWork work_;
  graph::Activation activation_;
  DType x_type_;
  std::int64_t pairs_;                 ///< of a kernel row
  bool in_place_;                      ///< reads x as it lies
  bool one_run_;                       ///< rows of a position each are computed as one
  std::int64_t row_;                   ///< numbers of a row of x with what it needs around
  std::int64_t bands_ = 1, rows_ = 1;  ///< of each image, and of y in one of them
  std::int64_t slices_ = 1;            ///< of the groups of columns
};

}  // namespace

bool has_own_convolution_bf16(const graph::Conv2d& op, Target target) {
  return op.precision == graph::Precision::kBF16 && target.bf16() == bf16::Unit::kVectors &&
         (!op.keeps_slope || op.activation == graph::Activation::kSilu);
}

KernelResult prepare_convolution_bf16(const Setup& setup, const graph::Conv2d& op) {
  const DenseWork work = forward_work(op.window, setup.input(0), setup.output(0).back());
  const auto convolution = std::make_shared<const Convolution>(setup, work, op.activation);
  const bool bias = setup.inputs() == 3;
  return make_kernel(
      {setup.bf16_kernel_name("conv2d"), convolution->packed_bytes(), convolution->scratch_bytes(), std::nullopt},
      [convolution, keeps = op.keeps_slope](const Arguments& a) {
        const auto results = [](const TensorView& view) { return Results{view.data, view.dtype == DType::kBF16, 0}; };
        convolution->run(a.inputs[0], a.packed, a.scratch, results(a.outputs[0]), keeps ? results(a.outputs[1]) : Results{});
      },
      [convolution, bias](const Arguments& a) {
        convolution->pack(a.inputs[1].f32(), bias ? a.inputs[2].f32() : nullptr, a.packed);
      });
}

}  // namespace fovea::cpu
