// Fovea: a picture made small, to see cheaply whether anything in it has changed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "image/image.h"

namespace fovea::checkout {

/// The mean colour of each of 64 x 48 blocks: a block of a camera's picture averages its noise away.
struct View {
  static constexpr int kWidth = 64;
  static constexpr int kHeight = 48;
  static constexpr std::size_t kBlocks = std::size_t{kWidth} * kHeight;
  std::array<float, kBlocks * 3> levels{};  ///< (kHeight, kWidth, 3), 0 to 255
};

/// `image` has at least one pixel. About 100 pixels of each block are looked at, however large the picture.
[[nodiscard]] View view_of(const Image& image);

/// The share of blocks of which a channel differs by more than `levels`, once the brightness of `b` was fitted to that of `a`: by
/// one factor for each channel (the median over the blocks), since lamps and the camera's own exposure change all of the view
/// alike, and an item only a part of it.
[[nodiscard]] double share_changed(const View& a, const View& b, float levels);

/// What noise and compression leave of a difference between two pictures of the same.
inline constexpr float kMotionLevels = 14;
/// The light falls otherwise on an empty scale from hour to hour.
inline constexpr float kEmptyLevels = 22;

/// How the empty scale looks: given, or learned; follows slow changes of the light.
class EmptyView {
 public:
  void learn(const View& view) { view_ = view; }
  /// A picture that surely shows the empty scale; `passed` since the one before.
  void adapt(const View& view, std::chrono::milliseconds passed);
  [[nodiscard]] bool known() const { return view_.has_value(); }
  [[nodiscard]] std::optional<double> difference(const View& view) const;

 private:
  std::optional<View> view_;
};

}  // namespace fovea::checkout
