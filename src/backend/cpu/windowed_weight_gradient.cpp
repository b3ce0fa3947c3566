// SPDX-License-Identifier: Apache-2.0
//
// Under a row of y, for one row of the kernel, lie S C numbers of a row of x at each position, the next S C some channels further
// on: columns of a matrix whose rows overlap. So each row of y adds an outer product to the sums (S C, K) of each kernel row.
#include "backend/cpu/windowed_weight_gradient.h"

#include <algorithm>
#include <memory>

#include "backend/cpu/kernels/column_sums.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/kernels/outer_sum.h"
#include "backend/cpu/padded_row.h"
#include "backend/cpu/part_sums.h"
#include "backend/function_kernel.h"
#include "core/buffer.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Columns of y whose sums are made together, and stay in the second-level cache.
constexpr std::int64_t kColumns = 64;
/// Where kernel rows and groups of columns are fewer than that, positions are dealt out too, each part with its own partial sum.
constexpr std::int64_t kTasks = 16;
constexpr std::int64_t kMaxSums = 8;

class WindowedWeightGradient {
 public:
  WindowedWeightGradient(const Setup& setup, const graph::Window& window)
      : context_(setup.context),
        window_(window),
        x_(setup.input(0)),
        dy_(setup.input(1)),
        groups_((dy_[3] + kColumns - 1) / kColumns),
        parts_(std::clamp<std::int64_t>(kTasks / (window.kernel_h * groups_), 1,
                                        std::clamp<std::int64_t>(dy_[0] * dy_[1], 1, kMaxSums))),
        db_(setup.target, setup.context, dy_[0] * dy_[1] * dy_[2], dy_[3]),
        outer_(outer_sum(setup.target)),
        sum_parts_(elementwise(setup.target).sum_parts) {}

  [[nodiscard]] std::size_t scratch_bytes() const {
    return sums_bytes() + std::max(db_.scratch_bytes(), static_cast<std::size_t>(context_.threads) * row_bytes());
  }

  void run(const Arguments& a) const {
    auto* const sums = reinterpret_cast<float*>(a.scratch);  // each (R, S C, K)
    std::byte* const rest = a.scratch + sums_bytes();
    const std::int64_t tasks = window_.kernel_h * groups_;
    parallel_for(context_, parts_ * tasks, [&](std::int64_t i, int worker) {
      auto* const row = reinterpret_cast<float*>(rest + static_cast<std::size_t>(worker) * row_bytes());
      const Task task{part_of(dy_[0] * dy_[1], parts_, i / tasks), i % tasks / groups_, part_of(dy_[3], groups_, i % groups_)};
      add_rows(task, a.inputs[0].f32(), a.inputs[1].f32(), row, sums + i / tasks * size());
    });
    add_up_parts(context_, sum_parts_, sums, parts_, size());
    unpack(sums, a.outputs[0].f32());
    if (a.outputs.size() == 2) db_.run(a.inputs[1].f32(), a.outputs[1].f32(), reinterpret_cast<float*>(rest));
  }

 private:
  struct Task {
    Range rows;  ///< of y, of all images
    std::int64_t kernel_row;
    Range columns;
  };
  [[nodiscard]] std::int64_t height() const { return window_.kernel_w * x_[3]; }  ///< S C
  [[nodiscard]] std::int64_t size() const { return window_.kernel_h * height() * dy_[3]; }
  [[nodiscard]] std::size_t sums_bytes() const { return align_up(static_cast<std::size_t>(parts_ * size()) * sizeof(float)); }
  [[nodiscard]] std::int64_t seen_width() const { return (dy_[2] - 1) * window_.stride + window_.kernel_w; }
  [[nodiscard]] std::size_t row_bytes() const { return align_up(static_cast<std::size_t>(seen_width() * x_[3]) * sizeof(float)); }

  void add_rows(const Task& task, const float* x, const float* dy, float* row, float* sums) const {
    sums += task.kernel_row * height() * dy_[3] + task.columns.begin;
    bool first = true;
    for (std::int64_t i = task.rows.begin; i < task.rows.end; ++i) {
      const std::int64_t seen = i % dy_[1] * window_.stride + task.kernel_row - window_.pad.top;
      if (seen < 0 || seen >= x_[1]) continue;  // zeros
      copy_padded_row(x + (i / dy_[1] * x_[1] + seen) * x_[2] * x_[3], x_[2], x_[3], -window_.pad.left, seen_width(), row);
      outer_({row, window_.stride * x_[3], height()},
             {dy + i * dy_[2] * dy_[3] + task.columns.begin, dy_[3], task.columns.size()}, dy_[2], sums, dy_[3], first);
      first = false;
    }
    for (std::int64_t j = 0; first && j < height(); ++j) std::fill_n(sums + j * dy_[3], task.columns.size(), 0.0F);
  }

  /// (R, S, C, K) to (K, C, R, S).
  void unpack(const float* sums, float* dw) const {
    const std::int64_t taps = std::int64_t{window_.kernel_h} * window_.kernel_w, c = x_[3], k = dy_[3];
    parallel_ranges(context_, c, 1, [&](Range channels) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        for (std::int64_t i = channels.begin; i < channels.end; ++i) {
          for (std::int64_t j = 0; j < k; ++j) dw[(j * c + i) * taps + tap] = sums[(tap * c + i) * k + j];
        }
      }
    });
  }

  Context context_;
  graph::Window window_;
  Shape x_, dy_;
  std::int64_t groups_;  ///< of columns
  std::int64_t parts_;   ///< of positions
  ColumnSums db_;
  OuterSumKernel* outer_;
  SumPartsKernel* sum_parts_;
};

}  // namespace

KernelResult prepare_windowed_weight_gradient(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  const auto gradient = std::make_shared<const WindowedWeightGradient>(setup, op.window);
  return make_kernel({setup.kernel_name("conv2d_backward_weight"), 0, gradient->scratch_bytes(), std::nullopt},
                     [gradient](const Arguments& a) { gradient->run(a); });
}

}  // namespace fovea::cpu
