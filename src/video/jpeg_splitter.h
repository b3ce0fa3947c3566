// Fovea: JPEGs out of bytes in which one follows another, as cameras' programs print them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "fovea/result.h"

namespace fovea::video {

/// Follows the markers (ISO/IEC 10918-1, annex B), so that a preview inside a picture's metadata does not end it. Bytes between
/// two pictures are passed over.
class JpegSplitter {
 public:
  void add(std::span<const std::byte> bytes);
  /// The next whole picture; none until more is added. kLimit when one does not end within `kMostBytes`; what came of it is
  /// dropped.
  Result<std::optional<std::vector<std::byte>>> next();

  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;

 private:
  [[nodiscard]] bool find_end();
  [[nodiscard]] unsigned at(std::size_t i) const { return static_cast<unsigned>(bytes_[i]); }

  std::vector<std::byte> bytes_;  ///< begins with a picture, once there is one
  bool begun_ = false;
  std::size_t place_ = 0;  ///< that the search has come to
};

}  // namespace fovea::video
