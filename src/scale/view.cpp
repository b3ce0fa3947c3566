// SPDX-License-Identifier: Apache-2.0
#include "scale/view.h"

#include <algorithm>
#include <cmath>

namespace fovea::checkout {
namespace {

// Samples of a block across and down.
constexpr int kSamples = 10;
// Dark blocks say little of the brightness: a level of 2 instead of 1 is no doubled light.
constexpr float kDark = 16;
// No lamp changes more between two pictures that are to be compared.
constexpr float kMostGain = 2;
constexpr double kAdaptSeconds = 30;

/// The median of a / b over blocks that are light enough in both.
float gain_between(const View& a, const View& b, std::size_t channel) {
  std::array<float, View::kBlocks> ratios{};
  std::size_t count = 0;
  for (std::size_t i = channel; i < a.levels.size(); i += 3) {
    if (a.levels[i] > kDark && b.levels[i] > kDark) ratios[count++] = a.levels[i] / b.levels[i];
  }
  if (count < View::kBlocks / 4) return 1;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(ratios.begin(), middle, ratios.begin() + static_cast<std::ptrdiff_t>(count));
  return std::clamp(*middle, 1 / kMostGain, kMostGain);
}

}  // namespace

View view_of(const Image& image) {
  View view;
  for (int by = 0; by < View::kHeight; ++by) {
    const int top = by * image.height / View::kHeight;
    const int rows = std::max(1, (by + 1) * image.height / View::kHeight - top);
    const int down = std::min(rows, kSamples);
    for (int bx = 0; bx < View::kWidth; ++bx) {
      const int left = bx * image.width / View::kWidth;
      const int columns = std::max(1, (bx + 1) * image.width / View::kWidth - left);
      const int across = std::min(columns, kSamples);
      std::array<int, 3> sums{};
      for (int y = 0; y < down; ++y) {
        const std::uint8_t* row = image.row(top + y * rows / down);
        for (int x = 0; x < across; ++x) {
          const std::uint8_t* pixel = row + 3 * static_cast<std::ptrdiff_t>(left + x * columns / across);
          for (std::size_t c = 0; c < 3; ++c) sums[c] += pixel[c];
        }
      }
      float* levels = view.levels.data() + 3 * (static_cast<std::ptrdiff_t>(by) * View::kWidth + bx);
      for (std::size_t c = 0; c < 3; ++c) levels[c] = static_cast<float>(sums[c]) / static_cast<float>(down * across);
    }
  }
  return view;
}

double share_changed(const View& a, const View& b, float levels) {
  std::array<float, 3> gains{};
  for (std::size_t c = 0; c < 3; ++c) gains[c] = gain_between(a, b, c);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < a.levels.size(); i += 3) {
    bool differs = false;
    for (std::size_t c = 0; c < 3; ++c) differs = differs || std::abs(a.levels[i + c] - gains[c] * b.levels[i + c]) > levels;
    changed += differs ? 1 : 0;
  }
  return static_cast<double>(changed) / static_cast<double>(View::kBlocks);
}

void EmptyView::adapt(const View& view, std::chrono::milliseconds passed) {
  if (!view_) return;
  const auto share = static_cast<float>(1 - std::exp(-std::chrono::duration<double>(passed).count() / kAdaptSeconds));
  for (std::size_t i = 0; i < view.levels.size(); ++i) view_->levels[i] += share * (view.levels[i] - view_->levels[i]);
}

std::optional<double> EmptyView::difference(const View& view) const {
  if (!view_) return std::nullopt;
  return share_changed(view, *view_, kEmptyLevels);
}

}  // namespace fovea::checkout
