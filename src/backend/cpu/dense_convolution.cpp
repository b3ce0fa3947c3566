// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/dense_convolution.h"

#include <algorithm>

#include "backend/cpu/padded_row.h"
#include "core/buffer.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Work worth a part of its own; parts for each thread, so that one that is held up costs little; what of x stays in the
/// second-level cache beside the weights.
constexpr double kFlopsPerPart = 2e5;
constexpr std::int64_t kPartsPerThread = 2;
constexpr std::int64_t kBytesOfX = std::int64_t{256} << 10;
/// Of a thread: more takes milliseconds, and parts of it are large whatever is chosen.
constexpr double kMostFlopsToTime = 2e8;

}  // namespace

DenseSplit::DenseSplit(const DenseWork& work, std::int64_t parts, bool by_panels) {
  if (by_panels) {
    groups = std::clamp<std::int64_t>(parts, 1, up(blocks_of(work.columns), 2));
  } else {
    bands = up(parts, work.images);
  }
  const std::int64_t bytes = work.height * work.width * work.channels * static_cast<std::int64_t>(sizeof(float));
  bands = std::clamp<std::int64_t>(std::max(bands, up(bytes, kBytesOfX)), 1, std::max<std::int64_t>(work.out_height, 1));
}

std::vector<DenseSplit> splits_of(const DenseWork& work, int threads) {
  const auto worth = static_cast<std::int64_t>(work.flops() / kFlopsPerPart);
  const std::int64_t most = threads == 1 ? 1 : kPartsPerThread * threads;
  const std::int64_t parts = worth < threads ? std::max<std::int64_t>(worth, 1) : std::min(worth / threads * threads, most);
  const bool by_panels = work.weights() * work.columns > work.images * work.height * work.width * work.channels;
  std::vector<DenseSplit> splits{DenseSplit(work, parts, by_panels)};
  if (work.flops() > kMostFlopsToTime * threads) return splits;
  for (const std::int64_t count :
       {parts, std::int64_t{1}, std::int64_t{threads}, std::int64_t{2} * threads, std::int64_t{4} * threads}) {
    for (const bool panels : {by_panels, !by_panels}) {
      if (const DenseSplit split(work, count, panels); std::ranges::find(splits, split) == splits.end()) splits.push_back(split);
    }
  }
  return splits;
}

DenseConvolution::DenseConvolution(const Setup& setup, const DenseWork& work, const DenseSplit& split,
                                   graph::Activation activation)
    : context_(setup.context),
      work_(work),
      activation_(activation),
      split_(split),
      rows_(up(work_.out_height, split_.bands)),
      row_(work_.seen_width() * work_.channels),
      kernel_(dense_product(setup.target)) {
  for (std::int64_t i = 0; i < rows_; ++i) {
    for (std::int64_t j = 0; j < work_.out_width; ++j)
      place_.push_back(static_cast<std::int32_t>(i * work_.stride * row_ + j * work_.stride * work_.channels));
  }
}

std::size_t DenseConvolution::packed_bytes() const {
  return static_cast<std::size_t>(panels() * kBlockChannels * (work_.weights() + 1)) * sizeof(float);
}
std::size_t DenseConvolution::band_bytes() const {
  return align_up(static_cast<std::size_t>(work_.seen_rows(rows_) * row_) * sizeof(float));
}
std::size_t DenseConvolution::scratch_bytes() const {
  return work_.reads_in_place() ? 0 : static_cast<std::size_t>(context_.threads) * band_bytes();
}

void DenseConvolution::pack(const float* w, const float* bias, std::byte* packed) const {
  auto* const to = reinterpret_cast<float*>(packed);
  std::fill_n(bias_of(to), panels() * kBlockChannels, 0.0F);
  if (bias != nullptr) std::copy_n(bias, work_.columns, bias_of(to));
  parallel_for(context_, panels(),
               [&](std::int64_t panel) { pack_panel(w, panel, to + panel * work_.weights() * kBlockChannels); });
}

/// To (kernel row, tap, channel, 16).
void DenseConvolution::pack_panel(const float* w, std::int64_t panel, float* to) const {
  const std::int64_t first = panel * kBlockChannels;
  for (std::int64_t row = 0; row < work_.kernel_h; ++row) {
    for (std::int64_t tap = 0; tap < work_.kernel_w; ++tap) {
      for (std::int64_t c = 0; c < work_.channels; ++c, to += kBlockChannels) {
        const float* const from = w + work_.w.first + row * work_.w.row + tap * work_.w.tap + c * work_.w.channel;
        for (std::int64_t k = 0; k < kBlockChannels; ++k)
          to[k] = first + k < work_.columns ? from[(first + k) * work_.w.column] : 0.0F;
      }
    }
  }
}

void DenseConvolution::run(const float* x, std::byte* packed, std::byte* scratch, float* y) const {
  const std::int64_t items = work_.images * split_.bands * split_.groups;
  parallel_for(context_, items, [&](std::int64_t item, int worker) {
    const std::int64_t first = item % split_.bands * rows_;
    const Part part{item / (work_.images * split_.bands),
                    item / split_.bands % work_.images,
                    {first, std::min(first + rows_, work_.out_height)}};
    auto* const band = reinterpret_cast<float*>(scratch + static_cast<std::size_t>(worker) * band_bytes());
    if (part.rows.size() > 0) run_part(part, x, packed, band, y);
  });
}

void DenseConvolution::run_part(const Part& part, const float* x, std::byte* packed, float* band, float* y) const {
  x += part.image * work_.height * work_.width * work_.channels;
  if (work_.reads_in_place()) {
    x += part.rows.begin * row_;
  } else {
    copy_padded(x, part.rows, band);
    x = band;
  }
  auto* const w = reinterpret_cast<float*>(packed);
  DenseProduct product{x,
                       place_.data(),
                       part.rows.size() * work_.out_width,
                       work_.kernel_h,
                       row_,
                       work_.depth(),
                       w,
                       bias_of(w),
                       part_of(panels(), split_.groups, part.group),
                       work_.columns,
                       activation_,
                       y + work_.y.first + part.image * work_.y.image + part.rows.begin * work_.y.row,
                       work_.y.position};
  if (work_.writes_in_order()) return kernel_(product);
  product.positions = work_.out_width;
  for (std::int64_t i = 0; i < part.rows.size(); ++i) {
    kernel_(product);
    product.place += work_.out_width;
    product.y += work_.y.row;
  }
}

/// The rows of x that `rows` of y see, with zeros around.
void DenseConvolution::copy_padded(const float* x, Range rows, float* to) const {
  const std::int64_t first = rows.begin * work_.stride + work_.first_row, count = work_.seen_rows(rows.size());
  for (std::int64_t row = first; row < first + count; ++row, to += row_) {
    if (row < 0 || row >= work_.height) {
      std::fill_n(to, row_, 0.0F);
    } else {
      copy_padded_row(x + row * work_.width * work_.channels, work_.width, work_.channels, work_.first_column, work_.seen_width(),
                      to);
    }
  }
}

}  // namespace fovea::cpu
