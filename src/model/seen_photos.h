// Fovea: which photos a model has seen already, so that a figure on them can say so.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

/// Marks of many photos: the least of them, which are a sample that does not depend on names, order or what else there is (a
/// bottom-k sketch: E. Cohen, H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).
struct PhotoMarks {
  static constexpr std::size_t kMost = 2048;

  std::vector<std::uint64_t> marks;  ///< ascending, each once, at most kMost
  std::int64_t photos = 0;           ///< that they stand for

  friend bool operator==(const PhotoMarks&, const PhotoMarks&) = default;
};

/// The sketch of photos that have these marks.
[[nodiscard]] PhotoMarks sketch_of(std::vector<std::uint64_t> marks);

/// The sketch of all photos that one of the two stands for; how many these are is an upper bound where a sketch is not whole.
[[nodiscard]] PhotoMarks merged(const PhotoMarks& some, const PhotoMarks& others);

/// Marks as text, 16 hexadecimal digits each, and back: nothing for text that is not that, ascends not or is too long.
[[nodiscard]] std::string text_of(const std::vector<std::uint64_t>& marks);
[[nodiscard]] std::optional<std::vector<std::uint64_t>> marks_from(std::string_view text);

/// Which share of the photos of `judged`, one mark each, is among those that `seen` stands for: exact up to kMost of them, else
/// estimated by the judged photos that would be in the sample; nothing where these are too few to tell.
[[nodiscard]] std::optional<double> share_seen(const PhotoMarks& seen, const std::vector<std::uint64_t>& judged);

/// The photos that made a model.
struct SeenPhotos {
  PhotoMarks learned;  ///< its weights were fitted to
  PhotoMarks judged;   ///< its choices were made by
  std::string chose;   ///< what the judged ones chose, for people: "the best epoch, calibration"; empty: nothing

  friend bool operator==(const SeenPhotos&, const SeenPhotos&) = default;
};

}  // namespace fovea
