// Fovea: what a photo's metadata say of it that a search asks for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace fovea::metadata {

struct Place {
  double latitude = 0.0;   ///< degrees, north positive
  double longitude = 0.0;  ///< degrees, east positive
};

struct Facts {
  std::string taken;   ///< local time "2019-06-30T18:22:05", or its beginning as far as known; empty: unknown
  std::string camera;  ///< "Google Pixel 7"; empty: unknown
  std::optional<Place> place;
  std::vector<std::string> keywords;  ///< UTF-8, each once

  /// What is unknown here is taken from `other`; keywords are united.
  void complete_with(const Facts& other);
};

/// Adds `word` unless it is there or empty.
void add_word(std::vector<std::string>& words, std::string word);

/// "2019:06:30 18:22:05", "2019-06-30T18:22:05.12+02:00", "2019-06", ... as `Facts::taken`; empty for what is no date.
[[nodiscard]] std::string normal_date(std::string_view text);

/// Maker and model without saying the maker twice.
[[nodiscard]] std::string camera_name(std::string_view maker, std::string_view model);

/// From an Exif segment, or a TIFF file, or a raw photo made like one: date, camera, place, XPKeywords.
[[nodiscard]] Facts read_exif(Bytes tiff);

/// From IPTC records (IIM 4.2): keywords, dataset 2:25.
[[nodiscard]] Facts read_iptc(Bytes records);
/// The IPTC records among Photoshop's image resources, as a JPEG's APP13 segments hold them; empty: none.
[[nodiscard]] Bytes iptc_records(Bytes resources);

}  // namespace fovea::metadata
