// Fovea: dense convolutions by own kernels: how one is parted, and its bands of rows of packed weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/cpu/dense_work.h"
#include "backend/cpu/kernels/dense_product.h"
#include "backend/cpu/setup.h"
#include "core/range.h"

namespace fovea::cpu {

/// Bands of rows of each image, times groups of panels of 16 columns.
struct DenseSplit {
  std::int64_t bands = 1;
  std::int64_t groups = 1;

  /// Into about so many parts. `by_panels`: each weight is read by one thread, else each position of x.
  DenseSplit(const DenseWork& work, std::int64_t parts, bool by_panels);
  friend bool operator==(const DenseSplit&, const DenseSplit&) = default;
};

/// The fixed choice, parts as large as can be: as many as threads, or a few times that. Then what else may be faster on one
/// machine or another, for layers that are over soon.
[[nodiscard]] std::vector<DenseSplit> splits_of(const DenseWork& work, int threads);

/// How the work is parted does not show in the bits.
class DenseConvolution {
 public:
  DenseConvolution(const Setup& setup, const DenseWork& work, const DenseSplit& split, graph::Activation activation);

  [[nodiscard]] std::size_t packed_bytes() const;
  [[nodiscard]] std::size_t scratch_bytes() const;
  /// `bias` has a number for each column, or is null.
  void pack(const float* w, const float* bias, std::byte* packed) const;
  void run(const float* x, std::byte* packed, std::byte* scratch, float* y) const;

 private:
  struct Part {
    std::int64_t group, image;
    Range rows;
  };
  [[nodiscard]] std::int64_t panels() const { return blocks_of(work_.columns); }
  [[nodiscard]] float* bias_of(float* packed) const { return packed + panels() * work_.weights() * kBlockChannels; }
  [[nodiscard]] std::size_t band_bytes() const;
  void pack_panel(const float* w, std::int64_t panel, float* to) const;
  void run_part(const Part& part, const float* x, std::byte* packed, float* band, float* y) const;
  void copy_padded(const float* x, Range rows, float* to) const;

  Context context_;
  DenseWork work_;
  graph::Activation activation_;
  DenseSplit split_;
  std::int64_t rows_;  ///< of y in a band
  std::int64_t row_;   ///< floats of a row of x with what it needs around
  DenseProductKernel* kernel_;
  std::vector<std::int32_t> place_;
};

}  // namespace fovea::cpu
