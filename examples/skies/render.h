// Fovea skies: a scene becomes a picture.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/context.h"
#include "image/image.h"
#include "scene.h"

namespace skies {

struct Picture {
  fovea::Image image;
  /// Mean opacity of the clouds over the visible sky, 0 to 1.
  float cover = 0;
};

/// The same bits whatever the number of threads.
[[nodiscard]] Picture render(const fovea::Context& context, const Scene& scene);

/// Draws and renders scenes until one has the cover that its label promises.
[[nodiscard]] Picture paint(const fovea::Context& context, Label label, int width, int height, std::uint64_t seed,
                            std::uint32_t item);

}  // namespace skies
