// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "archive/catalog.h"
#include "core/error.h"
#include "fovea/archive.h"

namespace fovea {
namespace {

using namespace archive;
namespace fs = std::filesystem;

// Great-circle distance by the haversine formula, on a sphere of the Earth's mean radius.
double kilometres_between(const GeoPoint& a, const GeoPoint& b) {
  constexpr double kRadius = 6371.0088;
  constexpr double kRadians = std::numbers::pi / 180;
  const double latitude = std::sin((b.latitude - a.latitude) * kRadians / 2);
  const double longitude = std::sin((b.longitude - a.longitude) * kRadians / 2);
  const double h =
      latitude * latitude + std::cos(a.latitude * kRadians) * std::cos(b.latitude * kRadians) * longitude * longitude;
  return 2 * kRadius * std::asin(std::min(1.0, std::sqrt(h)));
}

bool within(const GeoPoint& place, const GeoBox& box) {
  const bool east = place.longitude >= box.south_west.longitude;
  const bool west = place.longitude <= box.north_east.longitude;
  const bool crosses = box.south_west.longitude > box.north_east.longitude;
  return place.latitude >= box.south_west.latitude && place.latitude <= box.north_east.latitude &&
         (crosses ? east || west : east && west);
}

Result<void> check_date(std::string_view flag, const std::string& date) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  const bool known_length =
      date.empty() || date.size() == 4 || date.size() == 7 || date.size() == 10 || date.size() == kForm.size();
  if (known_length && (date.empty() || metadata::normal_date(date) == date)) return {};
  return fail(Error::Kind::kUsage, "{} {}: expected a year, month or day such as 2019, 2019-06 or 2019-06-30", flag, date);
}

bool on_earth(const GeoPoint& point) { return std::abs(point.latitude) <= 90 && std::abs(point.longitude) <= 180; }

Result<void> check_places(const FindQuery& query) {
  constexpr std::string_view kDegrees = "expected a latitude of -90 to 90 and a longitude of -180 to 180";
  if (query.near && !on_earth(query.near->centre)) {
    return fail(Error::Kind::kUsage, "--near {},{}: {}", query.near->centre.latitude, query.near->centre.longitude, kDegrees);
  }
  if (query.near && !(query.near->kilometres > 0)) {
    return fail(Error::Kind::kUsage, "--near: a radius of {} km, expected more than 0", query.near->kilometres);
  }
  if (!query.box) return {};
  for (const GeoPoint& corner : {query.box->south_west, query.box->north_east}) {
    if (!on_earth(corner)) return fail(Error::Kind::kUsage, "--box {},{}: {}", corner.latitude, corner.longitude, kDegrees);
  }
  if (query.box->south_west.latitude > query.box->north_east.latitude) {
    return fail(Error::Kind::kUsage, "--box: its south, {}, lies north of its north, {}; expected SOUTH,WEST,NORTH,EAST",
                query.box->south_west.latitude, query.box->north_east.latitude);
  }
  return {};
}

// ?1 since, ?2 until, ?3 part of the camera's name, each empty for none; ?4 words, of which a photo must have all, as a JSON
// array; ?5 the least probability, NULL for that of the run that gave the keyword.
constexpr std::string_view kSelect = R"(
SELECT id, path, taken, camera, latitude, longitude FROM photos p
WHERE taken >= ?1 AND (?2 = '' OR (taken <> '' AND substr(taken, 1, length(?2)) <= ?2)) AND instr(lower(camera), lower(?3)) > 0
  AND NOT EXISTS(SELECT 1 FROM json_each(?4) wanted
    WHERE NOT EXISTS(SELECT 1 FROM keywords k WHERE k.photo = p.id AND k.word = wanted.value COLLATE NOCASE
                       AND (?5 IS NULL OR k.probability IS NULL OR k.probability >= ?5))
      AND NOT EXISTS(SELECT 1 FROM predictions c WHERE c.photo = p.id AND c.label = wanted.value COLLATE NOCASE
                       AND c.probability >= ?5))
ORDER BY taken = '', taken, path)";

std::vector<std::string> levels_of_all(const std::vector<std::string>& words) {
  std::vector<std::string> levels;
  for (const std::string& word : words) {
    for (const std::string& level : levels_of(word)) metadata::add_word(levels, level);
  }
  return levels;
}

// Of the conditions that SQL leaves open.
class Filter {
 public:
  explicit Filter(const FindQuery& query) : query_(query) {
    for (const fs::path& folder : query.folders) folders_.push_back(catalog_path(folder));
  }

  [[nodiscard]] bool passes(const FoundPhoto& photo) const {
    const auto inside = [&](const fs::path& folder) {
      return photo.path == folder || photo.path.native().starts_with(range_below(folder).first);
    };
    if (!folders_.empty() && std::ranges::none_of(folders_, inside)) return false;
    if ((query_.near || query_.box) && !photo.place) return false;
    if (query_.near && kilometres_between(*photo.place, query_.near->centre) > query_.near->kilometres) return false;
    return !query_.box || within(*photo.place, *query_.box);
  }

 private:
  const FindQuery& query_;
  std::vector<fs::path> folders_;
};

class Details {
 public:
  static Result<Details> prepare(database::Connection& database) {
    Details details;
    FOVEA_ASSIGN(details.keywords_, database.prepare("SELECT word, probability FROM keywords WHERE photo = ?1 ORDER BY word"));
    FOVEA_ASSIGN(
        details.predictions_,
        database.prepare("SELECT label, probability FROM predictions WHERE photo = ?1 ORDER BY probability DESC, label"));
    return details;
  }

  Result<void> fill(std::int64_t id, const std::vector<std::string>& words, FoundPhoto& photo) {
    std::vector<Prediction> sure;
    FOVEA_TRY(keywords_->start(id));
    while (true) {
      FOVEA_ASSIGN(const bool row, keywords_->step());
      if (!row) break;
      photo.keywords.push_back(keywords_->text(0));
      if (!keywords_->is_null(1)) sure.push_back({keywords_->text(0), keywords_->real(1)});
    }
    FOVEA_TRY(predictions_->start(id));
    while (true) {
      FOVEA_ASSIGN(const bool row, predictions_->step());
      if (!row) break;
      photo.predictions.push_back({predictions_->text(0), predictions_->real(1)});
    }
    sure.insert(sure.end(), photo.predictions.begin(), photo.predictions.end());
    for (const std::string& word : words) {
      const auto found = std::ranges::find_if(sure, [&](const Prediction& p) { return same_word(p.label, word); });
      if (found != sure.end()) photo.probability = std::min(photo.probability.value_or(1), found->probability);
    }
    return {};
  }

 private:
  static bool same_word(std::string_view a, std::string_view b) {
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, small, small);
  }

  std::optional<database::Statement> keywords_;
  std::optional<database::Statement> predictions_;
};

}  // namespace

Result<std::vector<FoundPhoto>> find_tagged(const FindQuery& query) {
  FOVEA_TRY(check_date("--since", query.since));
  FOVEA_TRY(check_date("--until", query.until));
  FOVEA_TRY(check_places(query));
  FOVEA_ASSIGN(const fs::path path, Catalog::named(query.catalog));
  FOVEA_ASSIGN(Catalog catalog, Catalog::open_for_reading(path));
  FOVEA_ASSIGN(Details details, Details::prepare(catalog.database()));
  FOVEA_ASSIGN(auto select, catalog.database().prepare(kSelect));
  const Filter filter(query);
  const auto words = levels_of_all(query.words);
  const std::string wanted = nlohmann::json(words).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  FOVEA_TRY(select.start(query.since, query.until, query.camera, wanted, query.min_probability));
  std::vector<FoundPhoto> photos;
  while (query.limit <= 0 || static_cast<std::int64_t>(photos.size()) < query.limit) {
    FOVEA_ASSIGN(const bool row, select.step());
    if (!row) break;
    FoundPhoto photo;
    photo.path = select.text(1);
    photo.taken = select.text(2);
    photo.camera = select.text(3);
    if (!select.is_null(4)) photo.place = GeoPoint{select.real(4), select.real(5)};
    if (!filter.passes(photo)) continue;
    FOVEA_TRY(details.fill(select.integer(0), words, photo));
    photos.push_back(std::move(photo));
  }
  return photos;
}

}  // namespace fovea
