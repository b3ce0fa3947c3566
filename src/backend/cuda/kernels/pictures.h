// Fovea: a batch's images made of photos' bytes, level for level as the host makes them (data/augment.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/launch.h"
#include "backend/pictures.h"

namespace fovea::cuda {

[[nodiscard]] std::size_t picture_work_bytes(std::int32_t count, std::int32_t height, std::int32_t width);
/// Resampled and flipped alone: (count, height, width, 3) in Pictures::work.
[[nodiscard]] const std::uint8_t* fit_pictures(Stream stream, const Pictures& pictures);
void make_pictures(Stream stream, const Pictures& pictures);

}  // namespace fovea::cuda
