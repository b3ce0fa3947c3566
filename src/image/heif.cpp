// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/codec_library.h"
#include "image/heif_library.h"
#include "image/heif_metadata.h"
#include "image/loader.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

// Whether the file type box names `brand`, as its own or as one it is compatible with.
bool has_brand(Bytes bytes, std::string_view brand) {
  if (!has_at(bytes, 4, "ftyp"sv)) return false;
  const std::size_t end = std::min<std::size_t>({read_uint(bytes, 0, 4, ByteOrder::kBig), bytes.size(), 256});
  if (has_at(bytes, 8, brand)) return true;
  for (std::size_t at = 16; at + 4 <= end; at += 4) {
    if (has_at(bytes, at, brand)) return true;
  }
  return false;
}

bool sniff_avif(Bytes bytes) { return has_brand(bytes, "avif"sv) || has_brand(bytes, "avis"sv); }

bool sniff_heif(Bytes bytes) {
  if (sniff_avif(bytes)) return false;
  const auto brands = {"heic"sv, "heix"sv, "heim"sv, "heis"sv, "hevc"sv, "hevx"sv, "mif1"sv, "msf1"sv};
  return std::ranges::any_of(brands, [&](std::string_view brand) { return has_brand(bytes, brand); });
}

// libheif's objects, released in the opposite order.
class Picture {
 public:
  Picture() = default;
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
  ~Picture() {
    if (image != nullptr) heif->image_release(image);
    if (handle != nullptr) heif->image_handle_release(handle);
    if (context_ != nullptr) heif->context_free(context_);
  }

  /// `bytes` must outlive the picture.
  Result<void> open(Bytes bytes) {
    FOVEA_ASSIGN(heif, codec_library<HeifLibrary>());
    context_ = heif->context_alloc();
    if (context_ == nullptr) throw std::bad_alloc();
    heif->context_set_max_decoding_threads(context_, 0);  // the caller decides about threads
    FOVEA_TRY(check(heif->context_read_from_memory_without_copy(context_, bytes.data(), bytes.size(), nullptr)));
    return check(heif->context_get_primary_image_handle(context_, &handle));
  }

  Result<void> decode(heif_chroma chroma, bool av1) {
    const std::unique_ptr<heif_decoding_options, decltype(heif->decoding_options_free)> options(heif->decoding_options_alloc(),
                                                                                                heif->decoding_options_free);
    if (options == nullptr) throw std::bad_alloc();
    options->strict_decoding = 1;
    if (av1 && options->version >= 4) options->decoder_id = silent_av1_decoder();
    return check(heif->decode_image(handle, &image, heif_colorspace_RGB, chroma, options.get()));
  }

  const HeifLibrary* heif = nullptr;
  heif_image_handle* handle = nullptr;
  heif_image* image = nullptr;

 private:
  // dav1d, libheif's first choice, prints what is wrong with a damaged picture; libaom is silent. Null when it is absent.
  [[nodiscard]] const char* silent_av1_decoder() const {
    std::array<const heif_decoder_descriptor*, 8> decoders{};
    const int count = heif->get_decoder_descriptors(heif_compression_AV1, decoders.data(), static_cast<int>(decoders.size()));
    for (int i = 0; i < count; ++i) {
      const char* id = heif->decoder_descriptor_get_id_name(decoders[static_cast<std::size_t>(i)]);
      if (id != nullptr && id == "aom"sv) return id;
    }
    return nullptr;
  }

  static Result<void> check(const heif_error& error) {
    if (error.code == heif_error_Ok) return {};
    const auto kind = error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype
                          ? Error::Kind::kUnsupported
                          : Error::Kind::kFormat;
    return fail(kind, "{}", printable(error.message != nullptr ? error.message : "damaged"));
  }

  heif_context* context_ = nullptr;
};

// libheif applies the rotation and mirroring that the file states, and an Exif orientation only repeats those.
Result<Header> read_heif_header(Bytes bytes) {
  Picture picture;
  FOVEA_TRY(picture.open(bytes));
  return Header{picture.heif->image_handle_get_width(picture.handle), picture.heif->image_handle_get_height(picture.handle), 1};
}

// Samples of 9 to 16 bits to the full range of 16, rounded.
void widen(Raster& raster, int bits) {
  const std::uint32_t most = (1U << static_cast<unsigned>(bits)) - 1;
  for (std::size_t at = 0; at < raster.samples.size(); at += 2) {
    std::uint16_t value = 0;
    std::memcpy(&value, &raster.samples[at], 2);
    value = static_cast<std::uint16_t>((std::min<std::uint64_t>(value, most) * 65535 + most / 2) / most);
    std::memcpy(&raster.samples[at], &value, 2);
  }
}

Result<Raster> decode_heif(Bytes bytes, const Header& header, int /*shorter_side_wanted*/) {
  Picture picture;
  FOVEA_TRY(picture.open(bytes));
  const HeifLibrary& heif = *picture.heif;
  const bool alpha = heif.image_handle_has_alpha_channel(picture.handle) != 0;
  const bool deep = heif.image_handle_get_luma_bits_per_pixel(picture.handle) > 8;
  constexpr bool kLittle = std::endian::native == std::endian::little;
  const heif_chroma deep_chroma = alpha ? (kLittle ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBBAA_BE)
                                        : (kLittle ? heif_chroma_interleaved_RRGGBB_LE : heif_chroma_interleaved_RRGGBB_BE);
  const heif_chroma chroma = alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
  FOVEA_TRY(picture.decode(deep ? deep_chroma : chroma, sniff_avif(bytes)));
  const int width = heif.image_get_width(picture.image, heif_channel_interleaved);
  const int height = heif.image_get_height(picture.image, heif_channel_interleaved);
  if (width != header.width || height != header.height) {
    return fail(Error::Kind::kFormat, "{}x{} pixels inside, {}x{} stated", width, height, header.width, header.height);
  }
  Raster raster(width, height, alpha ? 4 : 3, deep ? 16 : 8);
  int stride = 0;
  const std::uint8_t* plane = heif.image_get_plane_readonly(picture.image, heif_channel_interleaved, &stride);
  if (plane == nullptr || stride < 0 || static_cast<std::size_t>(stride) < raster.row_bytes()) {
    return fail(Error::Kind::kFormat, "no pixels inside");
  }
  for (int y = 0; y < height; ++y) {
    std::memcpy(raster.row(y), plane + static_cast<std::size_t>(y) * static_cast<std::size_t>(stride), raster.row_bytes());
  }
  const int bits = heif.image_get_bits_per_pixel_range(picture.image, heif_channel_interleaved);
  if (deep && bits > 8 && bits < 16) widen(raster, bits);
  return raster;
}

std::vector<std::byte> block_of(const Picture& picture, heif_item_id id, std::size_t limit) {
  const std::size_t size = picture.heif->image_handle_get_metadata_size(picture.handle, id);
  std::vector<std::byte> block(size <= limit ? size : 0);
  if (block.empty() || picture.heif->image_handle_get_metadata(picture.handle, id, block.data()).code != heif_error_Ok) return {};
  return block;
}

}  // namespace

Result<HeifMetadata> read_heif_metadata(Bytes file) {
  Picture picture;
  FOVEA_TRY(picture.open(file));
  const HeifLibrary& heif = *picture.heif;
  HeifMetadata metadata;
  std::array<heif_item_id, 16> ids{};
  const int count =
      heif.image_handle_get_list_of_metadata_block_IDs(picture.handle, nullptr, ids.data(), static_cast<int>(ids.size()));
  for (int i = 0; i < count; ++i) {
    const heif_item_id id = ids[static_cast<std::size_t>(i)];
    const char* const type = heif.image_handle_get_metadata_type(picture.handle, id);
    const char* const content = heif.image_handle_get_metadata_content_type(picture.handle, id);
    if (type != nullptr && type == "Exif"sv) {
      auto block = block_of(picture, id, file.size());
      // Four bytes in front say how many more come before the TIFF structure.
      const std::size_t skip = std::size_t{read_uint(block, 0, 4, ByteOrder::kBig)} + 4;
      if (block.size() > skip) metadata.exif.assign(block.begin() + static_cast<std::ptrdiff_t>(skip), block.end());
    } else if (content != nullptr && content == "application/rdf+xml"sv) {
      metadata.xmp = block_of(picture, id, file.size());
    }
  }
  return metadata;
}

const Loader kHeifLoader{ImageFormat::kHeif, "HEIC", sniff_heif, read_heif_header, decode_heif};
const Loader kAvifLoader{ImageFormat::kAvif, "AVIF", sniff_avif, read_heif_header, decode_heif};

}  // namespace fovea
