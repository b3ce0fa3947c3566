// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/dense.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/choose.h"
#include "backend/cpu/kernels/dense_product.h"
#include "backend/function_kernel.h"
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

std::int64_t up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// x as `images` of (height, width, channels). A pointwise convolution sees all positions as rows of one image.
struct DenseShape {
  graph::Window window;
  std::int64_t images, height, width, channels;
  std::int64_t out_height, out_width, columns;

  DenseShape(const graph::Window& w, const Shape& x, std::int64_t outputs) : window(w), channels(x.back()), columns(outputs) {
    if (pointwise()) {
      images = 1;
      height = out_height = x.elements() / channels;
      width = out_width = 1;
      return;
    }
    images = x[0];
    height = x[1];
    width = x[2];
    out_height = graph::window_extent(height, w.kernel_h, w.stride, w.pad.top, w.pad.bottom);
    out_width = graph::window_extent(width, w.kernel_w, w.stride, w.pad.left, w.pad.right);
  }

  [[nodiscard]] bool pointwise() const { return window == graph::Window{}; }
  [[nodiscard]] std::int64_t depth() const { return window.kernel_w * channels; }
  [[nodiscard]] std::int64_t weights() const { return window.kernel_h * depth(); }  ///< of a column
  [[nodiscard]] std::int64_t panels() const { return blocks_of(columns); }
  /// Rows of x under `rows` rows of y, and floats of one of them with its padding.
  [[nodiscard]] std::int64_t seen(std::int64_t rows) const { return (rows - 1) * window.stride + window.kernel_h; }
  [[nodiscard]] std::int64_t row_floats() const { return ((out_width - 1) * window.stride + window.kernel_w) * channels; }
};

/// Bands of rows of each image, times groups of panels.
struct Split {
  std::int64_t bands = 1;
  std::int64_t groups = 1;

  /// Into about so many parts. `by_panels`: each weight is read by one thread, else each position of x.
  Split(const DenseShape& s, std::int64_t parts, bool by_panels) {
    if (by_panels) {
      groups = std::clamp<std::int64_t>(parts, 1, up(s.panels(), 2));
    } else {
      bands = up(parts, s.images);
    }
    const std::int64_t bytes = s.height * s.width * s.channels * static_cast<std::int64_t>(sizeof(float));
    bands = std::clamp<std::int64_t>(std::max(bands, up(bytes, kBytesOfX)), 1, std::max<std::int64_t>(s.out_height, 1));
  }
  friend bool operator==(const Split&, const Split&) = default;
};

/// The fixed choice, parts as large as can be: as many as threads, or a few times that. Then what else may be faster on one
/// machine or another, for layers that are over soon.
std::vector<Split> splits_of(const DenseShape& s, int threads) {
  const double flops =
      2.0 * static_cast<double>(s.images * s.out_height * s.out_width * s.columns) * static_cast<double>(s.weights());
  const auto worth = static_cast<std::int64_t>(flops / kFlopsPerPart);
  const std::int64_t most = threads == 1 ? 1 : kPartsPerThread * threads;
  const std::int64_t parts = worth < threads ? std::max<std::int64_t>(worth, 1) : std::min(worth / threads * threads, most);
  const bool by_panels = s.weights() * s.columns > s.images * s.height * s.width * s.channels;
  std::vector<Split> splits{Split(s, parts, by_panels)};
  if (flops > kMostFlopsToTime * threads) return splits;
  for (const std::int64_t count :
       {parts, std::int64_t{1}, std::int64_t{threads}, std::int64_t{2} * threads, std::int64_t{4} * threads}) {
    for (const bool panels : {by_panels, !by_panels}) {
      if (const Split split(s, count, panels); std::ranges::find(splits, split) == splits.end()) splits.push_back(split);
    }
  }
  return splits;
}

class Dense {
 public:
  Dense(const Setup& setup, const DenseShape& shape, const Split& split, graph::Activation activation, bool bias)
      : context_(setup.context),
        s_(shape),
        activation_(activation),
        bias_(bias),
        split_(split),
        rows_(up(s_.out_height, split_.bands)),
        kernel_(dense_product(setup.target)) {
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t j = 0; j < s_.out_width; ++j)
        place_.push_back(static_cast<std::int32_t>(i * s_.window.stride * s_.row_floats() + j * s_.window.stride * s_.channels));
    }
  }

  [[nodiscard]] std::size_t packed_bytes() const {
    return static_cast<std::size_t>(s_.panels() * kBlockChannels * (s_.weights() + 1)) * sizeof(float);
  }
  [[nodiscard]] std::size_t scratch_bytes() const {
    return s_.pointwise() ? 0 : static_cast<std::size_t>(context_.threads) * band_bytes();
  }

  void pack(const Arguments& a) const {
    const float* w = a.inputs[1].f32();
    auto* const packed = reinterpret_cast<float*>(a.packed);
    float* const b = bias_of(packed);
    std::fill_n(b, s_.panels() * kBlockChannels, 0.0F);
    if (bias_) std::copy_n(a.inputs[2].f32(), s_.columns, b);
    parallel_for(context_, s_.panels(),
                 [&](std::int64_t panel) { pack_panel(w, panel, packed + panel * s_.weights() * kBlockChannels); });
  }

  void run(const Arguments& a) const {
    const std::int64_t items = s_.images * split_.bands * split_.groups;
    parallel_for(context_, items, [&](std::int64_t item, int worker) {
      const std::int64_t group = item / (s_.images * split_.bands);
      const std::int64_t image = item / split_.bands % s_.images;
      const std::int64_t first = item % split_.bands * rows_;
      const Range rows{first, std::min(first + rows_, s_.out_height)};
      if (rows.size() > 0) part(a, group, image, rows, worker);
    });
  }

 private:
  [[nodiscard]] float* bias_of(float* packed) const { return packed + s_.panels() * s_.weights() * kBlockChannels; }
  [[nodiscard]] std::size_t band_bytes() const {
    return align_up(static_cast<std::size_t>(s_.seen(rows_) * s_.row_floats()) * sizeof(float));
  }

  /// w (K,C,R,S) to (R, S, C, 16).
  void pack_panel(const float* w, std::int64_t panel, float* to) const {
    const std::int64_t first = panel * kBlockChannels;
    const std::int64_t taps = std::int64_t{s_.window.kernel_h} * s_.window.kernel_w;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t c = 0; c < s_.channels; ++c, to += kBlockChannels) {
        for (std::int64_t k = 0; k < kBlockChannels; ++k)
          to[k] = first + k < s_.columns ? w[((first + k) * s_.channels + c) * taps + tap] : 0.0F;
      }
    }
  }

  void part(const Arguments& a, std::int64_t group, std::int64_t image, Range rows, int worker) const {
    const float* x = a.inputs[0].f32() + image * s_.height * s_.width * s_.channels;
    if (s_.pointwise()) {
      x += rows.begin * s_.channels;
    } else {
      auto* const band = reinterpret_cast<float*>(a.scratch + static_cast<std::size_t>(worker) * band_bytes());
      copy_padded(x, rows, band);
      x = band;
    }
    auto* const packed = reinterpret_cast<float*>(a.packed);
    const std::int64_t position = (image * s_.out_height + rows.begin) * s_.out_width;
    kernel_({x, place_.data(), rows.size() * s_.out_width, s_.window.kernel_h, s_.row_floats(), s_.depth(), packed,
             bias_of(packed), part_of(s_.panels(), split_.groups, group), s_.columns, activation_,
             a.outputs[0].f32() + position * s_.columns});
  }

  /// The rows of x that `rows` of y see, with zeros around.
  void copy_padded(const float* x, Range rows, float* to) const {
    const std::int64_t first = rows.begin * s_.window.stride - s_.window.pad.top, count = s_.seen(rows.size());
    const std::int64_t left = s_.window.pad.left * s_.channels;
    const std::int64_t inside = std::clamp<std::int64_t>(s_.row_floats() - left, 0, s_.width * s_.channels);
    for (std::int64_t row = first; row < first + count; ++row, to += s_.row_floats()) {
      if (row < 0 || row >= s_.height) {
        std::fill_n(to, s_.row_floats(), 0.0F);
        continue;
      }
      std::fill_n(to, std::min(left, s_.row_floats()), 0.0F);
      std::copy_n(x + row * s_.width * s_.channels, inside, to + left);
      std::fill(to + std::min(left + inside, s_.row_floats()), to + s_.row_floats(), 0.0F);
    }
  }

  Context context_;
  DenseShape s_;
  graph::Activation activation_;
  bool bias_;
  Split split_;
  std::int64_t rows_;  ///< of y in a band
  DenseProductKernel* kernel_;
  std::vector<std::int32_t> place_;
};

std::unique_ptr<Kernel> fastest_of(const Setup& setup, std::string_view name, const graph::Window& window,
                                   graph::Activation activation, bool bias) {
  const DenseShape shape(window, setup.input(0), setup.output(0).back());
  const std::vector<Split> splits = splits_of(shape, setup.context.threads);
  const std::string fields = fmt::format("{} {}x{}/{} pad {} {} {} {}", name, window.kernel_h, window.kernel_w, window.stride,
                                         window.pad.top, window.pad.left, window.pad.bottom, window.pad.right);
  return choose(setup, fields, splits.size(), [&](std::size_t i) {
    const auto dense = std::make_shared<const Dense>(setup, shape, splits[i], activation, bias);
    return make_kernel(
        {setup.kernel_name(name), dense->packed_bytes(), dense->scratch_bytes(), std::nullopt},
        [dense](const Arguments& a) { dense->run(a); }, [dense](const Arguments& a) { dense->pack(a); });
  });
}

}  // namespace

KernelResult prepare_dense(const Setup& setup, const graph::Conv2d& op) {
  return fastest_of(setup, "conv2d", op.window, op.activation, setup.inputs() == 3);
}

KernelResult prepare_dense(const Setup& setup, const graph::Linear& /*op*/) {
  return fastest_of(setup, "linear", {}, graph::Activation::kNone, true);
}

}  // namespace fovea::cpu
