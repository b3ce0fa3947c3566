// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/error.h"
#include "image/loader.h"
#include "image/raster.h"

namespace fovea {
namespace {

// Raw photos before TIFF files, which many of them are.
constexpr std::array<const Loader*, 9> kLoaders{&kJpegLoader, &kPngLoader, &kWebpLoader, &kGifLoader, &kRawLoader,
                                                &kTiffLoader, &kBmpLoader, &kHeifLoader, &kAvifLoader};

Result<const Loader*> loader_of(Bytes bytes) {
  for (const Loader* loader : kLoaders) {
    if (loader->sniff(bytes)) return loader;
  }
  if (bytes.empty()) return fail(Error::Kind::kFormat, "empty, expected a picture");
  std::string known;
  for (const Loader* loader : kLoaders) known += fmt::format("{}{}", known.empty() ? "" : ", ", loader->name);
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 12));
  return fail(Error::Kind::kFormat, "not a picture that Fovea reads ({}): begins with \"{}\"", known, printable(start));
}

Error named(const Loader& loader, Error error) { return {error.kind, fmt::format("{}: {}", loader.name, error.message)}; }

struct Found {
  const Loader* loader = nullptr;
  Header header;
};

// Everything that can be refused before there are pixels.
Result<Found> examine(Bytes bytes, const DecodeOptions& options) {
  if (bytes.size() > options.max_bytes) {
    return fail(Error::Kind::kLimit, "{} bytes, more than the limit of {} for a picture", bytes.size(), options.max_bytes);
  }
  FOVEA_ASSIGN(const Loader* loader, loader_of(bytes));
  auto header = loader->read_header(bytes);
  if (!header) return named(*loader, header.error());
  const auto [width, height, orientation] = *header;
  if (width <= 0 || height <= 0)
    return fail(Error::Kind::kFormat, "{}: {}x{} pixels, expected at least 1x1", loader->name, width, height);
  if (std::int64_t{width} * height > options.max_pixels) {
    return fail(Error::Kind::kLimit, "{}: {}x{} pixels, more than the limit of {} in all", loader->name, width, height,
                options.max_pixels);
  }
  return Found{loader, *header};
}

}  // namespace

std::string_view name_of(ImageFormat format) {
  const auto* const found = std::ranges::find(kLoaders, format, &Loader::format);
  return found == kLoaders.end() ? "unknown" : (*found)->name;
}

Result<ImageFormat> sniff(Bytes bytes) {
  FOVEA_ASSIGN(const Loader* loader, loader_of(bytes));
  return loader->format;
}

Result<ImageInfo> read_image_info(Bytes bytes, const DecodeOptions& options) {
  FOVEA_ASSIGN(const Found found, examine(bytes, options));
  ImageInfo info{found.loader->format, found.header.width, found.header.height, found.header.orientation};
  if (turns_sideways(info.orientation)) std::swap(info.width, info.height);
  return info;
}

Result<StoredJpeg> read_stored_jpeg(Bytes bytes, const DecodeOptions& options) {
  FOVEA_ASSIGN(const Found found, examine(bytes, options));
  if (found.loader != &kJpegLoader) return fail(Error::Kind::kUnsupported, "{}", found.loader->name);
  FOVEA_ASSIGN(const std::string oddity, oddity_of_jpeg(bytes));
  if (!oddity.empty()) return fail(Error::Kind::kUnsupported, "JPEG, {}", oddity);
  return StoredJpeg{found.header.width, found.header.height, found.header.orientation};
}

Result<Image> decode_image(Bytes bytes, const DecodeOptions& options) {
  FOVEA_ASSIGN(const Found found, examine(bytes, options));
  auto raster = found.loader->decode(bytes, found.header, options.shorter_side_needed * kScaledDecodeHeadroom);
  if (!raster) return named(*found.loader, raster.error());
  return upright(to_rgb(std::move(raster).value()), found.header.orientation);
}

Result<Image> load_image(const std::filesystem::path& path, const DecodeOptions& options) {
  // Read, not mapped: another program that cuts a mapped file short would kill this one.
  FOVEA_ASSIGN(const std::vector<std::byte> bytes, read_file(path, options.max_bytes));
  auto image = decode_image(bytes, options);
  if (!image) return fail(image.error().kind, "{}: {}", path.string(), image.error().message);
  return image;
}

}  // namespace fovea
