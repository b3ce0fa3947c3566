// Fovea: shear, shift and rotation of 8-bit pictures.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "image/image.h"

namespace fovea {

/// From a point of the result to the point of the source that it shows: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5];
/// pixel centres lie at halves.
using Affine = std::array<double, 6>;

/// Rows move in proportion to their distance from the top, columns from the left edge.
[[nodiscard]] Affine shear_x(double amount);
[[nodiscard]] Affine shear_y(double amount);
/// The picture moves right and down by whole or part pixels.
[[nodiscard]] Affine translate(double x, double y);
/// Counter-clockwise about the centre of a width x height picture.
[[nodiscard]] Affine rotate(double degrees, int width, int height);

/// The picture seen through `map`, bilinear, black where it has nothing: within one level of Pillow's.
[[nodiscard]] Image transform(const Image& source, const Affine& map);

}  // namespace fovea
