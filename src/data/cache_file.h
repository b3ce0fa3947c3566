// Fovea: the file behind a PhotoCache: a header, then one record after the other, each with its own checksums.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea::cache_file {

// Little-endian, as in memory. Bump the last letter of the magic with every change of layout.
inline constexpr std::uint64_t kMagic = 0x31'2D'54'50'41'45'56'46;  // "FVEAPT-1"
inline constexpr std::uint32_t kRecordMagic = 0x44524346;           // "FCRD"

struct FileHeader {
  std::uint64_t magic = kMagic;
  std::uint64_t name = 0;
};

/// Before the pixels (height, width, 3), which follow without a gap.
struct RecordHeader {
  std::uint32_t magic = kRecordMagic;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t reserved = 0;
  std::uint64_t key[2] = {0, 0};
  std::uint64_t path = 0;
  std::uint64_t pixels = 0;  ///< hash of the pixels
  std::uint64_t self = 0;    ///< hash of all of the above
};
static_assert(sizeof(FileHeader) == 16 && sizeof(RecordHeader) == 56, "records are written as they lie in memory");

}  // namespace fovea::cache_file
