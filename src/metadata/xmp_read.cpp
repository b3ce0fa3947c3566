// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "metadata/xmp.h"
#include "metadata/xmp_fields.h"

namespace fovea::metadata {
namespace {

constexpr std::string_view kExif = "http://ns.adobe.com/exif/1.0/";
constexpr std::string_view kTiff = "http://ns.adobe.com/tiff/1.0/";

// "52,31.2N" or "52,31,12N" (XMP specification, part 2: GPSCoordinate).
std::optional<double> coordinate(const std::string& text) {
  if (text.empty()) return std::nullopt;
  double degrees = 0;
  double unit = 1;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int part = 0; part < 3; ++part) {
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
    degrees += value * unit;
    unit /= 60;
    at = next;
    if (at == end || *at != ',') break;
    ++at;
  }
  if (at == end) return std::nullopt;
  return *at == 'S' || *at == 'W' ? -degrees : degrees;
}

}  // namespace

Result<XmpContent> read_xmp(std::string_view packet) {
  FOVEA_ASSIGN(const XmpDocument document, XmpDocument::parse(packet));
  XmpContent content;
  content.marked = document.property({kOwnSpace, "model"}) >= 0 || document.property_attribute({kOwnSpace, "model"}) != nullptr;
  content.date = document.simple({kOwnSpace, "date"});
  for (const Field& field : kFields) {
    const auto& all = content.all.*field.words = document.words(field.name);
    const auto& own = content.own.*field.words = document.words({kOwnSpace, field.name.local});
    for (const std::string& word : all) {
      if (std::ranges::find(own, word) == own.end()) add_word(content.facts.keywords, word);
    }
  }
  for (const NotedField& field : kNotedFields) content.own.*field.words = document.words({kOwnSpace, field.name});
  for (const XmlName& name : {XmlName{kExif, "DateTimeOriginal"}, XmlName{"http://ns.adobe.com/photoshop/1.0/", "DateCreated"},
                              XmlName{"http://ns.adobe.com/xap/1.0/", "CreateDate"}}) {
    if (content.facts.taken.empty()) content.facts.taken = normal_date(document.simple(name));
  }
  content.facts.camera = camera_name(document.simple({kTiff, "Make"}), document.simple({kTiff, "Model"}));
  const auto latitude = coordinate(document.simple({kExif, "GPSLatitude"}));
  const auto longitude = coordinate(document.simple({kExif, "GPSLongitude"}));
  if (latitude && longitude && std::abs(*latitude) <= 90 && std::abs(*longitude) <= 180) {
    content.facts.place = Place{*latitude, *longitude};
  }
  return content;
}

}  // namespace fovea::metadata
