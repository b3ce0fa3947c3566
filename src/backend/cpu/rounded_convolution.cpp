// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/rounded_convolution.h"

#include <algorithm>

#include "backend/cpu/block/workspace.h"
#include "backend/cpu/kernels/bf16/round.h"
#include "backend/cpu/padded_row.h"
#include "backend/cpu/rows_ahead.h"
#include "backend/numbers_of.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

using bf16::Bf16;
using bf16::kMostColumnVectors;

constexpr std::int64_t kPair = 2;
constexpr std::int64_t kPiece = 32;  ///< numbers of a column that are packed at once
/// What of x is read again and again, for group after group of columns, beside their weights.
constexpr std::int64_t kBytesOfX = std::int64_t{128} << 10;
/// Parts for each thread, so that one that is held up costs little.
constexpr std::int64_t kPartsPerThread = 4;

void copy(const float* from, std::int64_t count, Bf16* to) { bf16::round(from, count, to); }
void copy(const Bf16* from, std::int64_t count, Bf16* to) { std::copy_n(from, count, to); }

/// Numbers of a kernel row, tap by tap and channel by channel, from the one numbered `begin` on.
class KernelRow {
 public:
  KernelRow(const DenseWork& work, const float* first, std::int64_t begin = 0)
      : work_(work), first_(first), tap_(begin / work.channels), channel_(begin % work.channels) {}

  [[nodiscard]] bool ended() const { return tap_ == work_.kernel_w; }
  /// The next number of the first column; those of the others follow by the step of columns.
  const float* next() {
    const float* const at = first_ + tap_ * work_.w.tap + channel_ * work_.w.channel;
    if (++channel_ == work_.channels) channel_ = 0, ++tap_;
    return at;
  }

 private:
  const DenseWork& work_;
  const float* first_;
  std::int64_t tap_, channel_;
};

/// kPiece numbers of a kernel row of a column from `first` on, zeros beyond its last.
void round_piece(const DenseWork& work, const float* w, std::int64_t first, Bf16* to) {
  const std::int64_t count = std::min(kPiece, work.depth() - first);
  if (work.w.channel == 1 && count == kPiece && first / work.channels == (first + count - 1) / work.channels)
    return bf16::round(w + first / work.channels * work.w.tap + first % work.channels, count, to);
  float numbers[kPiece] = {};
  KernelRow row(work, w, first);
  for (std::int64_t i = 0; i < count; ++i) numbers[i] = *row.next();
  bf16::round(numbers, kPiece, to);
}

/// The part of a tensor that begins at `number`.
template <class Ends>
Ends from(const Ends& all, std::int64_t number, std::int64_t position) {
  if (all.data == nullptr) return all;
  return {all.data + number * static_cast<std::int64_t>(all.rounded ? sizeof(Bf16) : sizeof(float)), all.rounded, position};
}

}  // namespace

RoundedConvolution::RoundedConvolution(const Context& context, const std::vector<DenseWork>& phases, DType x_type, bool bias,
                                       graph::Activation activation)
    : context_(context), seen_(seen_by(phases)), x_type_(x_type), bias_(bias), activation_(activation) {
  const DenseWork& first = phases.front();
  const bool alone = phases.size() == 1;
  in_place_ = alone && first.reads_in_place() && x_type_ == DType::kBF16 && first.channels % kPair == 0;
  one_run_ = alone && first.kernel_h == 1 && first.out_width == 1;
  row_ = in_place_ ? first.channels : up(seen_.columns * first.channels, kPair) * kPair;
  std::int64_t numbers = 0;
  for (const DenseWork& work : phases) {
    const std::int64_t before =
        (work.first_row - seen_.first_row) * row_ + (work.first_column - seen_.first_column) * work.channels;
    const std::int64_t pairs = up(work.depth(), kPair), tap = work.channels % kPair == 0 ? work.channels / kPair : 0;
    const std::int64_t unseen = tap * work.taps_before(0);
    phases_.push_back({work, pairs, unseen, std::min(tap * work.taps_behind(work.out_width - 1), pairs - unseen),
                       work.weights() == 0 ? 0 : before, numbers});
    numbers += vectors() * phases_.back().vector_weights();
    out_rows_ = std::max(out_rows_, work.out_height);
  }
  part();
}

RoundedConvolution::Seen RoundedConvolution::seen_by(const std::vector<DenseWork>& phases) {
  Range rows, columns;
  for (const DenseWork& work : phases) {
    if (work.weights() == 0) continue;
    const bool first = columns.size() == 0;
    const Range r{work.first_row, work.first_row + work.kernel_h}, c{work.first_column, work.first_column + work.seen_width()};
    rows = first ? r : Range{std::min(rows.begin, r.begin), std::max(rows.end, r.end)};
    columns = first ? c : Range{std::min(columns.begin, c.begin), std::max(columns.end, c.end)};
  }
  return {rows.begin, rows.size(), columns.begin, columns.size()};
}

void RoundedConvolution::part() {
  const std::int64_t bytes = row_ * static_cast<std::int64_t>(sizeof(Bf16));
  const std::int64_t fit = std::max<std::int64_t>((kBytesOfX / bytes - seen_.rows) / any().stride + 1, 1);
  bands_ = up(out_rows_, one_run_ ? std::max(fit / bf16::kMostPositions, std::int64_t{1}) * bf16::kMostPositions : fit);
  rows_ = up(out_rows_, std::max<std::int64_t>(bands_, 1));
  const std::int64_t parts = any().images * bands_;
  slices_ = std::clamp<std::int64_t>(up(kPartsPerThread * context_.threads, std::max<std::int64_t>(parts, 1)), 1, groups());
  if (context_.threads == 1) slices_ = 1;
}

std::int64_t RoundedConvolution::Phase::vector_weights() const { return work.kernel_h * pairs * kPair * kColumns; }

RoundedConvolution::Packed RoundedConvolution::packed(std::byte* memory) const {
  const Phase& last = phases_.back();
  block::Pieces pieces(memory);
  Packed made{};
  made.w = pieces.take<Bf16>(last.w + vectors() * last.vector_weights());
  made.bias = bias_ ? pieces.take<float>(vectors() * kColumns) : nullptr;
  made.bytes = pieces.bytes();
  return made;
}

std::int64_t RoundedConvolution::vectors_of(std::int64_t group) const {
  return std::min(kMostColumnVectors, vectors() - group * kMostColumnVectors);
}

std::size_t RoundedConvolution::band_bytes() const {
  // The last position of a row may see one number more, which a weight of zero meets.
  return align_up(static_cast<std::size_t>(seen_rows(rows_) * row_ + kPair) * sizeof(Bf16));
}

void RoundedConvolution::pack(const float* w, const float* bias, std::byte* memory) const {
  const Packed to = packed(memory);
  if (bias_) {
    std::fill_n(to.bias, vectors() * kColumns, 0.0F);
    std::copy_n(bias, any().columns, to.bias);
  }
  parallel_for(context_, static_cast<std::int64_t>(phases_.size()) * vectors(), [&](std::int64_t i) {
    const Phase& phase = phases_[static_cast<std::size_t>(i / vectors())];
    const bool columns_are_near = phase.work.w.column < phase.work.w.channel;
    const std::int64_t window = std::min(phase.work.w.column, phase.work.w.channel);
    if (phases_.size() == 1 && window > 1 && window <= bf16::kLargestWindow && phase.work.channels % kPair == 0)
      return pack_windows(phase, w, i % vectors(), to.w);
    columns_are_near ? pack_by_columns(phase, w, i % vectors(), to.w) : pack_vector(phase, w, i % vectors(), to.w);
  });
}

/// 16 columns of each kernel row, rounded, to (kernel row, pair, 16, 2).
void RoundedConvolution::pack_vector(const Phase& phase, const float* w, std::int64_t vector, Bf16* to) const {
  const DenseWork& work = phase.work;
  const std::int64_t group = vector / kMostColumnVectors, in_group = vectors_of(group), first = vector * kColumns;
  const std::int64_t count = std::min(kColumns, work.columns - first);
  to += phase.w + group * kMostColumnVectors * phase.vector_weights();
  w += work.w.first + first * work.w.column;
  for (std::int64_t row = 0; row < work.kernel_h; ++row) {
    for (std::int64_t pair = 0; pair < phase.pairs; pair += kPiece / kPair) {
      const std::int64_t pairs = std::min(kPiece / kPair, phase.pairs - pair);
      Bf16 columns[kColumns * kPiece];
      for (std::int64_t k = 0; k < count; ++k)
        round_piece(work, w + k * work.w.column + row * work.w.row, pair * kPair, columns + k * kPiece);
      bf16::pack_columns(columns, kPiece, count, pairs, in_group, vector % kMostColumnVectors, to);
      to += pairs * in_group * kPair * kColumns;
    }
  }
}

/// The same of whole windows, each of which lies in one piece, of an even number of channels.
void RoundedConvolution::pack_windows(const Phase& phase, const float* w, std::int64_t vector, Bf16* to) const {
  const DenseWork& work = phase.work;
  const std::int64_t group = vector / kMostColumnVectors, first = vector * kColumns, pair = vectors_of(group) * kPair * kColumns;
  to += phase.w + group * kMostColumnVectors * phase.vector_weights() + vector % kMostColumnVectors * kPair * kColumns;
  w += first * work.w.column;
  for (std::int64_t c = 0; c < work.channels; c += kPair, to += pair) {
    const float* const even = w + c * work.w.channel;
    bf16::pack_windows(
        {even, even + work.w.channel, work.w.column, std::min(kColumns, work.columns - first),
         std::min(work.w.column, work.w.channel), work.w.first, work.w.row, work.w.tap, work.kernel_h, work.kernel_w},
        to, work.channels / kPair * pair);
  }
}

/// The same where the columns of a number lie nearer to each other than the numbers of a column.
void RoundedConvolution::pack_by_columns(const Phase& phase, const float* w, std::int64_t vector, Bf16* to) const {
  const DenseWork& work = phase.work;
  const std::int64_t group = vector / kMostColumnVectors, first = vector * kColumns;
  const std::int64_t count = std::min(kColumns, work.columns - first), step = work.w.column;
  to += phase.w + group * kMostColumnVectors * phase.vector_weights() + vector % kMostColumnVectors * kPair * kColumns;
  w += work.w.first + first * step;
  float gathered[kPair][kColumns];
  const auto columns_at = [&](const float* number, float(&room)[kColumns]) -> const float* {
    if (step == 1) return number;
    for (std::int64_t k = 0; k < count; ++k) room[k] = number[k * step];
    return room;
  };
  for (std::int64_t row = 0; row < work.kernel_h; ++row) {
    KernelRow numbers(work, w + row * work.w.row);
    for (std::int64_t pair = 0; pair < phase.pairs; ++pair, to += vectors_of(group) * kPair * kColumns) {
      const float* const even = columns_at(numbers.next(), gathered[0]);
      bf16::pack_pair(even, numbers.ended() ? nullptr : columns_at(numbers.next(), gathered[1]), count, to);
    }
  }
}

void RoundedConvolution::run(const TensorView& x, std::byte* memory, std::byte* scratch, const Ends& ends) const {
  const Packed w = packed(memory);
  parallel_for(context_, any().images * bands_ * slices_, [&](std::int64_t part, int worker) {
    const std::int64_t slice = part % slices_;
    Band band = band_of(part / slices_);
    if (band.rows.size() <= 0) return;
    const bool fetches = !in_place_ && slice == slices_ - 1;
    bf16::Ahead ahead = fetches ? before(band_of(part / slices_ + 1), x) : bf16::Ahead{};
    band.ahead = &ahead;
    if (in_place_) {
      band.x = numbers_of<const Bf16>(x) + band.rows.begin * row_;
    } else {
      auto* const copy = reinterpret_cast<Bf16*>(scratch + static_cast<std::size_t>(worker) * band_bytes());
      x_type_ == DType::kF32 ? copy_band(x.f32(), band, copy) : copy_band(numbers_of<const Bf16>(x), band, copy);
      band.x = copy;
    }
    const Range mine = part_of(groups(), slices_, slice);
    for (std::int64_t group = mine.begin; group < mine.end; ++group) multiply(w, group, band, ends);
  });
}

/// Of all images, one after the other.
RoundedConvolution::Band RoundedConvolution::band_of(std::int64_t number) const {
  const std::int64_t in_image = number % bands_;
  return {number / bands_, {in_image * rows_, std::min((in_image + 1) * rows_, out_rows_)}, nullptr, nullptr};
}

/// What a band will read, to be fetched while the one before it is multiplied: x was written long ago.
bf16::Ahead RoundedConvolution::before(const Band& next, const TensorView& x) const {
  if (next.image >= any().images || next.rows.size() <= 0) return {};
  const std::int64_t first = next.rows.begin * any().stride + seen_.first_row, height = any().height;
  const Range rows{std::clamp<std::int64_t>(first, 0, height),
                   std::clamp<std::int64_t>(first + seen_rows(next.rows.size()), 0, height)};
  const std::int64_t image = next.image * height;
  bf16::Ahead ahead = rows_ahead(x, {image + rows.begin, image + rows.end}, any().width * any().channels);
  ahead.spread(ahead.bytes(), steps_of_row() * next.rows.size());
  return ahead;
}

/// The rows of an image that a band of y sees, with zeros beside them. Of rows that are not there no more is read than the last
/// position of a row sees beyond it, which a weight of zero meets.
template <class Number>
void RoundedConvolution::copy_band(const Number* x, const Band& band, Bf16* to) const {
  const std::int64_t c = any().channels, width = any().width, numbers = seen_.columns * c;
  std::int64_t at = band.rows.begin * any().stride + seen_.first_row;
  x += band.image * any().height * width * c;
  for (std::int64_t i = 0; i < seen_rows(band.rows.size()); ++i, ++at, to += row_) {
    if (at < 0 || at >= any().height) {
      std::fill_n(to, kPair, Bf16{0});
      continue;
    }
    copy_padded_row(x + at * width * c, width, c, seen_.first_column, seen_.columns, to,
                    [](const Number* from, std::int64_t count, Bf16* target) { copy(from, count, target); });
    std::fill_n(to + numbers, row_ - numbers, Bf16{0});
  }
  std::fill_n(to, kPair, Bf16{0});
}

/// A group of columns of a band: row by row, so that phases that share a row find it near. What is read and written along with
/// the results of a row is fetched a row before.
void RoundedConvolution::multiply(const Packed& packed, std::int64_t group, Band band, const Ends& ends) const {
  const std::int64_t end = one_run_ ? band.rows.begin + 1 : band.rows.end;
  bf16::Ahead* const further = band.ahead;
  for (std::int64_t i = band.rows.begin; i < end; ++i) {
    bf16::Ahead next[] = {beside(ends.factor, band, i + 1), beside(ends.addend, band, i + 1)};
    for (const Phase& phase : phases_) {
      band.ahead = next[0].bytes() > 0 ? &next[0] : next[1].bytes() > 0 ? &next[1] : further;
      if (i < phase.work.out_height) multiply_row(phase, packed, group, band, i, ends);
    }
  }
}

/// What lies beside the results of row `i` of all phases.
bf16::Ahead RoundedConvolution::beside(const bf16::Operand& operand, const Band& band, std::int64_t i) const {
  if (operand.data == nullptr || one_run_ || groups() > 1 || i >= out_rows_) return {};
  const auto number = static_cast<std::int64_t>(operand.rounded ? sizeof(Bf16) : sizeof(float));
  const std::byte* const row = operand.data + (band.image * any().y.image + i * any().y.row) * number;
  bf16::Ahead ahead{row, row + std::min(any().y.row, any().y.image - i * any().y.row) * number, 0};
  ahead.spread(ahead.bytes(), steps_of_row() / 2);
  return ahead;
}

std::int64_t RoundedConvolution::steps_of_row() const {
  std::int64_t steps = 0;
  for (const Phase& phase : phases_)
    steps += phase.work.kernel_h * phase.pairs * bf16::steps_of(phase.work.out_width, phase.work.columns);
  return steps;
}

/// What a phase makes of row `i` of y, or of all rows of a band that are one run. Kernel rows that see nothing of x are left out.
void RoundedConvolution::multiply_row(const Phase& phase, const Packed& packed, std::int64_t group, const Band& band,
                                      std::int64_t i, const Ends& ends) const {
  const DenseWork& work = phase.work;
  const std::int64_t first = group * kMostColumnVectors * kColumns;
  const std::int64_t at = work.y.first + band.image * work.y.image + i * work.y.row + first;
  const Range seeing = work.seeing_rows(i);
  const std::int64_t kernel_row = phase.pairs * kPair * vectors_of(group) * kColumns;
  bf16::multiply_rows({.x = band.x + phase.at + ((i - band.rows.begin) * work.stride + seeing.begin) * row_,
                       .positions = one_run_ ? band.rows.size() : work.out_width,
                       .position = one_run_ ? row_ * work.stride : work.stride * work.channels,
                       .kernel_rows = seeing.size(),
                       .row = row_,
                       .pairs = phase.pairs,
                       .unseen_by_first = phase.unseen_by_first,
                       .unseen_by_last = phase.unseen_by_last,
                       .w = packed.w + phase.w + group * kMostColumnVectors * phase.vector_weights() + seeing.begin * kernel_row,
                       .b = bias_ ? packed.bias + first : nullptr,
                       .columns = std::min(kMostColumnVectors * kColumns, work.columns - first),
                       .activation = activation_,
                       .y = from(ends.y, at, work.y.position),
                       .slope = from(ends.slope, at, work.y.position),
                       .addend = from(ends.addend, at, work.y.position),
                       .factor = from(ends.factor, at, work.y.position),
                       .ahead = band.ahead});
}

}  // namespace fovea::cpu
