// Fovea: the instruction sets that functions are compiled for, and which of them this processor has.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fovea {

/// One of Highway's targets (those that FOVEA_HIGHWAY_SETS leaves), for each of which every file of kernels is compiled once.
class VectorTarget {
 public:
  /// Those that this processor and its system can run, best first; never empty.
  static std::span<const VectorTarget> usable();
  static VectorTarget best() { return usable().front(); }

  /// "avx3", "avx2", "sse4", "neon", "scalar"; static storage.
  [[nodiscard]] std::string_view name() const;
  /// HWY_AVX2 and the like.
  [[nodiscard]] std::int64_t bit() const { return bit_; }
  /// Where FOVEA_VERSION finds this target (core/vector_versions.h).
  [[nodiscard]] std::size_t index() const { return index_; }

 private:
  explicit VectorTarget(std::int64_t bit);
  std::int64_t bit_;
  std::size_t index_;
};

}  // namespace fovea
