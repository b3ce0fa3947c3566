// SPDX-License-Identifier: Apache-2.0
//
// Tags by the Exif standard (CIPA DC-008), and XPKeywords, which Windows writes.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"
#include "image/tiff_directory.h"
#include "metadata/facts.h"
#include "metadata/older_words.h"

namespace fovea::metadata {
namespace {

using Entries = std::vector<TiffReader::Entry>;

constexpr std::uint16_t kMaker = 0x010F;
constexpr std::uint16_t kModel = 0x0110;
constexpr std::uint16_t kDateTime = 0x0132;
constexpr std::uint16_t kExifDirectory = 0x8769;
constexpr std::uint16_t kGpsDirectory = 0x8825;
constexpr std::uint16_t kXpKeywords = 0x9C9E;
constexpr std::uint16_t kDateTimeOriginal = 0x9003;
constexpr std::uint16_t kDateTimeDigitized = 0x9004;
constexpr std::uint16_t kLatitudeReference = 1;
constexpr std::uint16_t kLatitude = 2;
constexpr std::uint16_t kLongitudeReference = 3;
constexpr std::uint16_t kLongitude = 4;

std::string text_of(const TiffReader& reader, const Entries& entries, std::uint16_t tag) {
  const auto* const entry = find_tag(entries, tag);
  const std::string_view text = entry != nullptr ? reader.text(*entry) : std::string_view();
  return is_utf8(text) ? std::string(text) : printable(text);
}

Entries directory_at(const TiffReader& reader, const Entries& entries, std::uint16_t tag) {
  const auto* const entry = find_tag(entries, tag);
  return entry != nullptr ? reader.directory(reader.number(*entry)) : Entries{};
}

// Degrees, minutes and seconds, with the letter of the half that counts negative.
std::optional<double> angle(const TiffReader& reader, const Entries& entries, std::uint16_t tag, std::uint16_t reference,
                            char negative) {
  const auto* const entry = find_tag(entries, tag);
  if (entry == nullptr) return std::nullopt;
  const auto degrees = reader.rational(*entry, 0);
  if (!degrees) return std::nullopt;
  const double value = *degrees + reader.rational(*entry, 1).value_or(0) / 60 + reader.rational(*entry, 2).value_or(0) / 3600;
  return text_of(reader, entries, reference).starts_with(negative) ? -value : value;
}

std::optional<Place> place_of(const TiffReader& reader, const Entries& gps) {
  const auto latitude = angle(reader, gps, kLatitude, kLatitudeReference, 'S');
  const auto longitude = angle(reader, gps, kLongitude, kLongitudeReference, 'W');
  // Cameras without a fix write 0, 0: a point in the sea off Ghana that no photo of theirs shows.
  if (!latitude || !longitude || (*latitude == 0 && *longitude == 0)) return std::nullopt;
  if (std::abs(*latitude) > 90 || std::abs(*longitude) > 180) return std::nullopt;
  return Place{*latitude, *longitude};
}

}  // namespace

Facts read_exif(Bytes tiff) {
  Facts facts;
  const auto reader = TiffReader::open(tiff);
  if (!reader) return facts;
  const Entries first = reader->directory(reader->first_directory());
  const Entries exif = directory_at(*reader, first, kExifDirectory);
  for (const auto& [entries, tag] :
       {std::pair(&exif, kDateTimeOriginal), std::pair(&exif, kDateTimeDigitized), std::pair(&first, kDateTime)}) {
    if (facts.taken.empty()) facts.taken = normal_date(text_of(*reader, *entries, tag));
  }
  facts.camera = camera_name(text_of(*reader, first, kMaker), text_of(*reader, first, kModel));
  facts.place = place_of(*reader, directory_at(*reader, first, kGpsDirectory));
  if (const auto* const entry = find_tag(first, kXpKeywords)) facts.keywords = read_xp(reader->data(*entry));
  return facts;
}

}  // namespace fovea::metadata
