// SPDX-License-Identifier: Apache-2.0
#include "metadata/container.h"

#include <algorithm>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/decode.h"
#include "image/raw.h"

namespace fovea::metadata {
namespace {

using namespace std::string_view_literals;

void unite(Keywords& keywords, const Keywords& own, const Keywords& others) {
  const auto add = [](std::vector<std::string>& to, const std::vector<std::string>& from,
                      const std::vector<std::string>& without) {
    for (const std::string& word : from) {
      if (std::ranges::find(without, word) == without.end()) add_word(to, word);
    }
  };
  add(keywords.subject, others.subject, own.subject);
  add(keywords.hierarchical, others.hierarchical, own.hierarchical);
  add(keywords.tags_list, others.tags_list, own.tags_list);
}

void take_out(std::vector<std::string>& words, const std::vector<std::string>& gone) {
  std::erase_if(words, [&](const std::string& word) { return std::ranges::find(gone, word) != gone.end(); });
}

Blocks find_heif_blocks(Bytes file) {
  Blocks blocks;
  auto read = read_heif_metadata(file);
  if (!read) return blocks;
  blocks.heif = std::make_shared<const HeifMetadata>(std::move(*read));
  blocks.exif = blocks.heif->exif;
  blocks.xmp = blocks.heif->xmp;
  return blocks;
}

Blocks find_raw_blocks(Bytes file) {
  const RawContent content = raw_content(file);
  return content.description.empty() ? find_jpeg_blocks(raw_preview(content)) : find_tiff_blocks(content.description);
}

}  // namespace

Blocks find_blocks(Bytes file) {
  const auto format = sniff(file);
  if (!format) return find_tiff_blocks(file);
  switch (*format) {
    case ImageFormat::kJpeg: return find_jpeg_blocks(file);
    case ImageFormat::kPng: return find_png_blocks(file);
    case ImageFormat::kWebp: return find_webp_blocks(file);
    case ImageFormat::kTiff: return find_tiff_blocks(file);
    case ImageFormat::kRaw: return find_raw_blocks(file);
    case ImageFormat::kHeif:
    case ImageFormat::kAvif: return find_heif_blocks(file);
    case ImageFormat::kGif:
    case ImageFormat::kBmp: break;
  }
  return {};
}

PhotoMetadata read_metadata(Bytes file) {
  PhotoMetadata found;
  const Blocks blocks = find_blocks(file);
  const auto xmp = blocks.xmp.empty() ? Result<XmpContent>(XmpContent{}) : read_xmp(as_text(blocks.xmp));
  found.facts = read_exif(blocks.exif);
  Facts iptc = read_iptc(blocks.iptc);
  if (xmp) {
    take_out(found.facts.keywords, xmp->own.xp);
    take_out(iptc.keywords, xmp->own.iptc);
  }
  found.facts.complete_with(iptc);
  found.others.subject = found.facts.keywords;
  if (xmp) {
    found.facts.complete_with(xmp->facts);
    unite(found.others, xmp->own, xmp->all);
    found.marked = xmp->marked;
  }
  return found;
}

OlderWords wanted_in_older(Bytes file, const std::vector<std::string>& words) {
  const auto format = sniff(file);
  if (!format) return {};
  if (*format == ImageFormat::kJpeg) return wanted_in_jpeg(file, words);
  return *format == ImageFormat::kTiff ? wanted_in_tiff(file, words) : OlderWords();
}

Result<Splices> embed_xmp(Bytes file, std::string_view packet, const OlderWords& older) {
  FOVEA_ASSIGN(const ImageFormat format, sniff(file));
  switch (format) {
    case ImageFormat::kJpeg: return embed_in_jpeg(file, packet, older);
    case ImageFormat::kPng: return embed_in_png(file, packet);
    case ImageFormat::kWebp: return embed_in_webp(file, packet);
    case ImageFormat::kTiff: return embed_in_tiff(file, packet, older);
    case ImageFormat::kHeif:
    case ImageFormat::kAvif: return embed_in_heif(file, packet);
    case ImageFormat::kGif:
    case ImageFormat::kBmp:
    case ImageFormat::kRaw: break;
  }
  return fail(Error::Kind::kUnsupported, "keywords of the format {} go into a sidecar", name_of(format));
}

}  // namespace fovea::metadata
