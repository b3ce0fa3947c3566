// Fovea: what a device makes pictures of photos from; all pointers are the backend's memory's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/picture_step.h"

namespace fovea {

struct PictureWindow {
  std::int32_t left = 0, top = 0, width = 0, height = 0;
};

/// The image layer's own, which this one cannot see; who hands pictures over checks that they are the same (device_batches.cpp).
inline constexpr int kPictureWeightBits = 22;
inline constexpr std::uint8_t kPictureGrey = 128;

/// One axis of a resampling: output i has `stride` numbers from `first + i stride` of the tables on: the first source sample, how
/// many, and their weights, which sum to about 1 << kPictureWeightBits.
struct PictureAxis {
  std::int32_t first = 0, stride = 0;
};

/// What becomes of one photo, in this order: resampled into `place` (kPictureGrey around), flipped, its steps, normalised,
/// erased.
struct PictureOrder {
  const std::uint8_t* pixels = nullptr;  ///< of the first source sample (RGB); null: the image is 0
  std::int32_t row_pixels = 0;           ///< of the photo: from one row to the next
  PictureWindow place;
  PictureAxis columns, rows;
  bool down_first = false;  ///< else across first; sums are rounded and cut to 8 bits between the two
  bool flip_x = false, flip_y = false;
  std::int32_t first_step = 0, steps = 0;
  PictureWindow erased;
  std::int32_t partner = 0;  ///< the image of the batch that it is mixed with
};

/// Images (count, height, width, 3) of a batch.
struct Pictures {
  enum class Mix : std::uint8_t { kNone, kBlend, kPatch };

  const PictureOrder* orders = nullptr;
  const std::int32_t* tables = nullptr;
  const PictureStep* steps = nullptr;
  std::byte* work = nullptr;  ///< picture_work_bytes()
  float* images = nullptr;
  std::int32_t count = 0, height = 0, width = 0;
  std::int32_t most_steps = 0;          ///< of any picture
  float scale[3] = {}, offset[3] = {};  ///< of a channel: level scale + offset
  Mix mix = Mix::kNone;                 ///< kBlend: own image + (1 - own) partner; kPatch: the partner inside `patch`
  float own = 1;
  PictureWindow patch;
};

}  // namespace fovea
