// Fovea skies: a scene becomes a picture.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fovea/result.h"
#include "image/image.h"
#include "scene.h"

namespace skies {

struct Picture {
  fovea::Image image;
  /// Mean opacity of the clouds over the visible sky, 0 to 1.
  float cover = 0;
};

[[nodiscard]] Picture render(const Scene& scene);

/// Draws scenes until one has the cover that its label promises, and renders that. Depends on nothing but the arguments.
[[nodiscard]] fovea::Result<Picture> paint(Label label, int width, int height, std::uint64_t seed, std::uint32_t item);

}  // namespace skies
