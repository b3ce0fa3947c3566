// Fovea: any bytes through every picture decoder: an error or a picture that keeps the limits, never a crash.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <span>

#include "image/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fovea::Bytes bytes = std::as_bytes(std::span(data, size));
  // Small enough that a hostile size costs no time: the limit itself is what is tested.
  fovea::DecodeOptions options{.max_pixels = 4'000'000, .shorter_side_needed = static_cast<int>(size % 3) * 20};
  const auto info = fovea::read_image_info(bytes, options);
  const auto image = fovea::decode_image(bytes, options);
  if (!image) return 0;
  const std::uint64_t pixels = static_cast<std::uint64_t>(image->width) * static_cast<std::uint64_t>(image->height);
  if (!info || pixels == 0 || pixels > 4'000'000 || image->pixels.size() != pixels * 3) std::abort();
  return 0;
}
