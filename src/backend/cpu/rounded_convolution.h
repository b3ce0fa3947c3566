// Fovea: dense convolutions of bf16 numbers by own kernels, on processors with AVX512_BF16: how one is parted into bands of rows
// and groups of columns, and their packed weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/cpu/dense_work.h"
#include "backend/cpu/kernels/bf16/row_product.h"
#include "core/buffer.h"
#include "core/context.h"
#include "core/range.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// How the work is parted does not show in the bits.
class RoundedConvolution {
 public:
  /// Where results go, and what is read along with them: all in the shape of the whole result.
  struct Ends {
    bf16::Results y, slope;
    bf16::Operand addend, factor;
  };

  /// `phases`: convolutions of one x, of the same stride and number of columns, that make parts of one result each.
  RoundedConvolution(const Context& context, const std::vector<DenseWork>& phases, DType x_type, bool bias,
                     graph::Activation activation);

  [[nodiscard]] std::size_t packed_bytes() const { return packed(nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const {
    return in_place_ ? 0 : static_cast<std::size_t>(context_.threads) * band_bytes();
  }
  /// `bias` has a number for each column; null where there is none.
  void pack(const float* w, const float* bias, std::byte* memory) const;
  void run(const TensorView& x, std::byte* memory, std::byte* scratch, const Ends& ends) const;

 private:
  using Bf16 = bf16::Bf16;
  struct Phase {
    DenseWork work;
    std::int64_t pairs;                            ///< of a kernel row
    std::int64_t unseen_by_first, unseen_by_last;  ///< of them, that lie beside x for a row's first position and its last
    std::int64_t at;                               ///< numbers from where a band of x begins to what its first position sees
    std::int64_t w;                                ///< packed numbers of the phases before
    /// Packed numbers of a vector of columns.
    [[nodiscard]] std::int64_t vector_weights() const;
  };
  /// What of x all phases see around a row and a column: as if they had one window.
  struct Seen {
    std::int64_t first_row, rows;
    std::int64_t first_column, columns;  ///< of a whole row of y
  };
  struct Packed {
    Bf16* w;
    float* bias;
    std::size_t bytes;
  };
  struct Band {
    std::int64_t image;
    Range rows;  ///< of y
    const Bf16* x;
    bf16::Ahead* ahead;
  };

  [[nodiscard]] static Seen seen_by(const std::vector<DenseWork>& phases);
  void part();
  [[nodiscard]] Packed packed(std::byte* memory) const;
  [[nodiscard]] const DenseWork& any() const { return phases_.front().work; }
  [[nodiscard]] std::int64_t vectors() const { return up(any().columns, kColumns); }
  [[nodiscard]] std::int64_t groups() const { return up(vectors(), bf16::kMostColumnVectors); }
  [[nodiscard]] std::int64_t vectors_of(std::int64_t group) const;
  [[nodiscard]] std::int64_t seen_rows(std::int64_t rows) const { return (rows - 1) * any().stride + seen_.rows; }
  [[nodiscard]] std::size_t band_bytes() const;

  void pack_vector(const Phase& phase, const float* w, std::int64_t vector, Bf16* to) const;
  void pack_windows(const Phase& phase, const float* w, std::int64_t vector, Bf16* to) const;
  void pack_by_columns(const Phase& phase, const float* w, std::int64_t vector, Bf16* to) const;
  [[nodiscard]] Band band_of(std::int64_t number) const;
  [[nodiscard]] bf16::Ahead before(const Band& next, const TensorView& x) const;
  [[nodiscard]] bf16::Ahead beside(const bf16::Operand& operand, const Band& band, std::int64_t i) const;
  [[nodiscard]] std::int64_t steps_of_row() const;
  template <class Number>
  void copy_band(const Number* x, const Band& band, Bf16* to) const;
  void multiply(const Packed& packed, std::int64_t group, Band band, const Ends& ends) const;
  void multiply_row(const Phase& phase, const Packed& packed, std::int64_t group, const Band& band, std::int64_t i,
                    const Ends& ends) const;

  static constexpr std::int64_t kColumns = 16;  ///< of a vector

  Context context_;
  std::vector<Phase> phases_;
  Seen seen_;
  DType x_type_;
  bool bias_;
  graph::Activation activation_;
  bool in_place_;                      ///< reads x as it lies
  bool one_run_;                       ///< rows of a position each are computed as one
  std::int64_t row_;                   ///< numbers of a row of x with what it needs around
  std::int64_t out_rows_ = 0;          ///< of the phase that has most
  std::int64_t bands_ = 1, rows_ = 1;  ///< of each image, and of y in one of them
  std::int64_t slices_ = 1;            ///< of the groups of columns
};

}  // namespace fovea::cpu
