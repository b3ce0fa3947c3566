// Fovea: which photos are copies, or nearly copies, of each other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "core/context.h"
#include "fovea/result.h"
#include "image/image.h"

namespace fovea {

/// What is kept of a photo to recognise it again: after rescaling, recompression, small changes of exposure.
struct Fingerprint {
  static constexpr int kSide = 16;

  std::uint64_t content = 0;     ///< hash of the file's bytes
  std::uint64_t perceptual = 0;  ///< which of the 64 lowest frequencies of the luminance stand out above their median
  std::array<std::uint8_t, kSide * kSide * 3> thumbnail{};  ///< the photo squashed to 16 x 16, RGB
};

/// The perceptual part alone; `content` stays 0.
[[nodiscard]] Fingerprint fingerprint_of(const Image& photo);
Result<Fingerprint> fingerprint_of(const std::filesystem::path& path);

/// One per path, in order; nothing for a photo that cannot be read. kCancelled when context asks for a stop.
Result<std::vector<std::optional<Fingerprint>>> fingerprints_of(const Context& context,
                                                                std::span<const std::filesystem::path> paths);

/// The same bytes; or perceptual hashes at most 8 bits apart and thumbnails alike up to a shift of each channel.
[[nodiscard]] bool nearly_same(const Fingerprint& a, const Fingerprint& b);

/// Group of each photo, numbered from 0 in order of first appearance: the connected components of `nearly_same`. A missing
/// fingerprint is a group of its own. Near-linear: an index over quarters of the hash, any two within 8 bits
/// of each other agree in some quarter up to 2 bits.
[[nodiscard]] std::vector<int> group_near_duplicates(std::span<const std::optional<Fingerprint>> photos);

}  // namespace fovea
