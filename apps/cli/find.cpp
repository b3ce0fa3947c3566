// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/archive.h"
#include "fovea/figures.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

struct FindFlags {
  FindQuery query;
  double min_probability = -1;
  std::string near;
  std::string box;
  std::filesystem::path html;
  bool null = false;
  OutputFlags output;
};

/// "52.52,13.40,10km": numbers between commas, nothing behind the last but `unit`.
std::optional<std::vector<double>> numbers_in(std::string_view text, std::size_t count, std::string_view unit) {
  if (text.ends_with(unit)) text.remove_suffix(unit.size());
  std::vector<double> numbers;
  while (true) {
    const std::string_view part = text.substr(0, text.find(','));
    double value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    numbers.push_back(value);
    if (part.size() == text.size()) break;
    text.remove_prefix(part.size() + 1);
  }
  return numbers.size() == count ? std::optional(numbers) : std::nullopt;
}

Result<void> read_places(FindFlags& flags) {
  if (!flags.near.empty()) {
    const auto n = numbers_in(flags.near, 3, "km");
    if (!n)
      return Error{Error::Kind::kUsage,
                   fmt::format("--near {}: expected LATITUDE,LONGITUDE,RADIUSkm, such as 52.52,13.40,10km", flags.near)};
    flags.query.near = GeoCircle{{(*n)[0], (*n)[1]}, (*n)[2]};
  }
  if (!flags.box.empty()) {
    const auto n = numbers_in(flags.box, 4, "");
    if (!n)
      return Error{Error::Kind::kUsage,
                   fmt::format("--box {}: expected SOUTH,WEST,NORTH,EAST in degrees, such as 47,6,55,15", flags.box)};
    flags.query.box = GeoBox{{(*n)[0], (*n)[1]}, {(*n)[2], (*n)[3]}};
  }
  return {};
}

void show(Console& console, const FoundPhoto& photo, bool null) {
  if (!console.json()) {
    // On a terminal as it may stand in a line; for programs as it is.
    const std::string path = photo.path.string();
    if (null) return console.print_record(path, '\0');
    return console.print(console.data_is_seen() ? in_line(path) : path);
  }
  nlohmann::ordered_json line{{"path", photo.path.string()}, {"keywords", photo.keywords}};
  if (photo.probability) line["probability"] = *photo.probability;
  line["predictions"] = nlohmann::ordered_json::array();
  for (const Prediction& p : photo.predictions)
    line["predictions"].push_back({{"label", p.label}, {"probability", p.probability}});
  if (!photo.taken.empty()) line["taken"] = photo.taken;
  if (!photo.camera.empty()) line["camera"] = photo.camera;
  if (photo.place) line["place"] = {photo.place->latitude, photo.place->longitude};
  console.print_json(line);
}

int find(FindFlags& flags) {
  Console console("find", flags.output);
  if (const auto read = read_places(flags); !read) return console.fail(read.error());
  if (flags.min_probability >= 0) flags.query.min_probability = flags.min_probability;
  if (flags.null && flags.output.json) return console.fail({Error::Kind::kUsage, "--null is of paths: not with --json"});
  const auto photos = find_tagged(flags.query);
  if (!photos) return console.fail(photos.error());
  if (!flags.html.empty()) {
    const std::string title = flags.query.words.empty() ? "Photos" : fmt::format("{}", fmt::join(flags.query.words, ", "));
    if (const auto written = write_contact_sheet(flags.html, title, *photos); !written) return console.fail(written.error());
    console.note(fmt::format("{} on {}", counted(static_cast<std::int64_t>(photos->size()), "photo"), flags.html.string()));
  } else {
    for (const FoundPhoto& photo : *photos) {
      show(console, photo, flags.null);
      if (console.closed()) break;
    }
    console.note(counted(static_cast<std::int64_t>(photos->size()), "photo"));
  }
  std::error_code unknown;
  for (const auto& folder : flags.query.folders) {
    if (photos->empty() && !std::filesystem::exists(folder, unknown))
      console.note(fmt::format("--in {}: no such folder, and no such photo was there", in_line(folder.string())));
  }
  return photos->empty() ? kSomeFailed : kDone;
}

}  // namespace

Run add_find(CLI::App& app) {
  auto flags = std::make_shared<FindFlags>();
  FindQuery& query = flags->query;
  app.description(
      "Photos that 'fovea tag' has looked at, by what they show, and by the keywords\n"
      "that other programs gave them. Exit status 1: none found.\n\n"
      "  fovea find cloudy --in new\n"
      "  fovea find clear --min-probability 0.9 --html found.html");
  app.add_option("WORD", query.words, "classes or keywords, all of them; none: all photos");
  app.add_option("--min-probability", flags->min_probability, "at least so probable, keyword or not")->check(number(0.0, 1.0));
  app.add_option("--since", query.since, "taken then or later: 2019, 2019-06, 2019-06-30")->type_name("DATE");
  app.add_option("--until", query.until, "taken by the end of that year, month or day")->type_name("DATE");
  app.add_option("--camera", query.camera, "part of the camera's name")->type_name("NAME");
  app.add_option("--in", query.folders, "photos below this folder")->type_name("FOLDER")->allow_extra_args(false);
  app.add_option("--near", flags->near, "taken near LATITUDE,LONGITUDE,RADIUSkm")->type_name("PLACE");
  app.add_option("--box", flags->box, "taken within SOUTH,WEST,NORTH,EAST")->type_name("BOX");
  app.add_option("--limit", query.limit, "at most so many; 0: all")->check(whole_number(0, 1000000000))->capture_default_str();
  app.add_option("--html", flags->html, "a page of thumbnails rather than paths")->type_name("FILE");
  app.add_flag("-0,--null", flags->null, "a NUL behind each path, as 'xargs -0' reads them: names may have spaces and line ends");
  app.add_option("--catalog", query.catalog, "the catalogue, if not the user's own")->type_name("FILE");
  add_output_flags(app, flags->output);
  return [flags] { return find(*flags); };
}

}  // namespace fovea::cli
