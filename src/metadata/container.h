// Fovea: where photo files keep their metadata, and how an XMP packet gets into them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"
#include "image/heif_metadata.h"
#include "metadata/facts.h"
#include "metadata/older_words.h"
#include "metadata/splice.h"
#include "metadata/xmp.h"

namespace fovea::metadata {

/// Views into the file, or into `heif`; empty where there is none.
struct Blocks {
  Bytes exif;  ///< a TIFF structure
  Bytes xmp;
  Bytes iptc;                                ///< records
  std::shared_ptr<const HeifMetadata> heif;  ///< those of HEIC and AVIF files may lie in pieces
};

/// Of a JPEG, PNG, WebP, TIFF, HEIC or AVIF file, or a raw photo made like TIFF; all empty for other formats and damaged files.
[[nodiscard]] Blocks find_blocks(Bytes file);

struct PhotoMetadata {
  Facts facts;      ///< of Exif, XMP and IPTC; keywords without those that Fovea added
  Keywords others;  ///< the XMP fields' keywords that Fovea did not add, and those of IPTC and Exif among `subject`
  bool marked = false;
};

/// What a photo's own metadata say. Damaged metadata say nothing.
[[nodiscard]] PhotoMetadata read_metadata(Bytes file);

/// Puts `packet` in place of the file's XMP, or among its metadata if it has none, and changes the words of older fields. Pixels,
/// other metadata and whatever follows the picture are not touched; offsets of pictures that follow (MPF) are moved with them.
/// Says why not (kUnsupported, kLimit) where that cannot be done exactly.
Result<Splices> embed_xmp(Bytes file, std::string_view packet, const OlderWords& older = {});

/// Which of `words` belong into the file's older fields too: those that it has, where there is room (JPEG and TIFF; the other
/// formats' readers know of XMP).
[[nodiscard]] OlderWords wanted_in_older(Bytes file, const std::vector<std::string>& words);

/// The formats, one file each. The functions get files that begin as theirs.
Blocks find_jpeg_blocks(Bytes file);
Result<Splices> embed_in_jpeg(Bytes file, std::string_view packet, const OlderWords& older);
OlderWords wanted_in_jpeg(Bytes file, const std::vector<std::string>& words);
Blocks find_png_blocks(Bytes file);
Result<Splices> embed_in_png(Bytes file, std::string_view packet);
Blocks find_webp_blocks(Bytes file);
Result<Splices> embed_in_webp(Bytes file, std::string_view packet);
Blocks find_tiff_blocks(Bytes file);
Result<Splices> embed_in_tiff(Bytes file, std::string_view packet, const OlderWords& older);
/// kUnsupported, with the reason, where the file's boxes are of a kind that cannot be moved exactly.
Result<Splices> embed_in_heif(Bytes file, std::string_view packet);
OlderWords wanted_in_tiff(Bytes file, const std::vector<std::string>& words);

}  // namespace fovea::metadata
