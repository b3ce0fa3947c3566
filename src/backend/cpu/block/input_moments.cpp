// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/input_moments.h"

#include <algorithm>

#include "backend/cpu/block/workspace.h"
#include "core/parallel.h"

namespace fovea::cpu::block {
namespace {

constexpr std::int64_t kMostParts = 16;
constexpr std::int64_t kRowsOfPart = 256;
constexpr std::int64_t kFloatsTogether = std::int64_t{1} << 16;  // a quarter of a second-level cache

}  // namespace

/// What one part of the rows is added up in. Deviations are from the first row of all: near enough to the mean that squares do
/// not drown in it.
struct InputMoments::Part {
  Part(std::int64_t channels, std::int64_t rows, std::byte* memory) {
    const std::int64_t blocks = blocks_of(channels);
    Pieces pieces(memory);
    sum = pieces.take<double>(channels);
    products = pieces.take<double>(blocks * channels * kBlockChannels);
    few_sum = pieces.take<float>(channels);
    few_products = pieces.take<float>(blocks * channels * kBlockChannels);
    centred = pieces.take<float>(rows * channels);
    in_blocks = pieces.take<float>(blocks * rows * kBlockChannels);
    place = pieces.take<std::int32_t>(rows);
    bytes = pieces.bytes();
  }

  double* sum;
  double* products;  ///< (block, channels, 16)
  float* few_sum;
  float* few_products;
  float* centred;
  float* in_blocks;
  std::int32_t* place;
  std::size_t bytes;
};

InputMoments::InputMoments(const Context& context, Target target, std::int64_t rows, std::int64_t channels, Centre* centre)
    : context_(context),
      rows_(rows),
      channels_(channels),
      parts_(std::clamp<std::int64_t>(rows / kRowsOfPart, 1, kMostParts)),
      together_(std::clamp<std::int64_t>(kFloatsTogether / (blocks_of(channels) * kBlockChannels), 64, 512)),
      products_(block_kernels(target)),
      norms_(block_norm_kernels(target)),
      sum_rows_(sum_rows(target)),
      centre_(centre) {}

std::size_t InputMoments::scratch_bytes() const {
  return static_cast<std::size_t>(parts_) * Part(channels_, together_, nullptr).bytes;
}

void InputMoments::run(const float* x, std::byte* scratch, double* mean, double* covariance) const {
  const std::size_t bytes = Part(channels_, together_, nullptr).bytes;
  parallel_for(context_, parts_, [&](std::int64_t part) {
    add_up(x, Part(channels_, together_, scratch + static_cast<std::size_t>(part) * bytes), part_of(rows_, parts_, part));
  });
  join(x, scratch, mean, covariance);
}

void InputMoments::add_up(const float* x, const Part& part, Range rows) const {
  const std::int64_t blocks = blocks_of(channels_), size = blocks * channels_ * kBlockChannels;
  const std::int64_t block = together_ * kBlockChannels;
  std::fill_n(part.sum, channels_, 0.0);
  std::fill_n(part.products, size, 0.0);
  for (std::int64_t i = 0; i < together_; ++i) part.place[i] = static_cast<std::int32_t>(i * kBlockChannels);
  for (std::int64_t row = rows.begin; row < rows.end; row += together_) {
    const std::int64_t count = std::min(together_, rows.end - row);
    centre_(x + row * channels_, count, channels_, x, part.centred);
    products_.to_blocks(part.centred, count, channels_, {part.in_blocks, block, part.place});
    std::fill_n(part.few_products, size, 0.0F);
    products_.outer(part.centred, channels_, count, part.in_blocks, block, blocks, part.few_products);
    sum_rows_(part.centred, count, channels_, part.few_sum, true);
    norms_.grow(part.few_products, size, part.products);
    norms_.grow(part.few_sum, channels_, part.sum);
  }
}

void InputMoments::join(const float* pivot, std::byte* scratch, double* mean, double* covariance) const {
  const std::size_t bytes = Part(channels_, together_, nullptr).bytes;
  const Part total(channels_, together_, scratch);
  for (std::int64_t part = 1; part < parts_; ++part) {
    const Part more(channels_, together_, scratch + static_cast<std::size_t>(part) * bytes);
    for (std::int64_t c = 0; c < channels_; ++c) total.sum[c] += more.sum[c];
  }
  const double count = static_cast<double>(rows_);
  for (std::int64_t c = 0; c < channels_; ++c) mean[c] = static_cast<double>(pivot[c]) + total.sum[c] / count;
  parallel_ranges(context_, channels_, 16, [&](Range range) {
    for (std::int64_t part = 1; part < parts_; ++part) {
      const Part more(channels_, together_, scratch + static_cast<std::size_t>(part) * bytes);
      for (std::int64_t block = 0; block < blocks_of(channels_); ++block) {
        const std::int64_t first = (block * channels_ + range.begin) * kBlockChannels;
        for (std::int64_t i = first; i < first + range.size() * kBlockChannels; ++i) total.products[i] += more.products[i];
      }
    }
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      for (std::int64_t j = 0; j < channels_; ++j) {
        const std::int64_t at = (j / kBlockChannels * channels_ + i) * kBlockChannels + j % kBlockChannels;
        covariance[i * channels_ + j] = total.products[at] / count - total.sum[i] / count * (total.sum[j] / count);
      }
    }
  });
}

}  // namespace fovea::cpu::block
