// Fovea: one line for each family of raw photos; raw.cpp asks them in turn.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "image/raw.h"
#include "image/tiff_directory.h"

namespace fovea {

struct RawFormat {
  bool (*is_one)(Bytes file);
  RawContent (*read)(Bytes file);
};

extern const RawFormat kTiffRaw;  ///< DNG, NEF, CR2, ARW, PEF, SRW, RW2, ORF, ...: directories as in TIFF
extern const RawFormat kMrw;      ///< Minolta: a TIFF structure in a block
extern const RawFormat kRaf;      ///< Fujifilm: a JPEG by an offset in the header
extern const RawFormat kCr3;      ///< Canon since 2018: boxes as in MP4
extern const RawFormat kCrw;      ///< Canon until 2005: a heap of heaps (CIFF)
extern const RawFormat kX3f;      ///< Sigma: sections, and a directory of them at the end

/// `size` bytes from `at` on; none where they do not lie within the file.
[[nodiscard]] inline Bytes part(Bytes file, std::size_t at, std::size_t size) {
  return at <= file.size() && size <= file.size() - at ? file.subspan(at, size) : Bytes();
}

/// The first value of an entry; 0 where there is none.
[[nodiscard]] std::uint32_t number_of(const TiffReader& reader, const std::vector<TiffReader::Entry>& entries, std::uint16_t tag);
/// What one entry says the place of and another one the size.
[[nodiscard]] Bytes part_by(const TiffReader& reader, const std::vector<TiffReader::Entry>& entries, std::uint16_t at,
                            std::uint16_t size);

/// The previews that the directories of a TIFF structure, and the notes of some makers in it, name.
[[nodiscard]] std::vector<Bytes> tiff_previews(Bytes tiff);
/// Those of the maker's note alone: Olympus, Pentax, Minolta.
[[nodiscard]] std::vector<Bytes> note_previews(const TiffReader& reader);

}  // namespace fovea
