// SPDX-License-Identifier: Apache-2.0
#include "model/model_card.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "model/registry.h"

namespace fovea {
namespace {

using Json = nlohmann::json;

constexpr const char* kVersionField = "fovea_model";
constexpr const char* kRejectionField = "rejection";
constexpr const char* kThresholdsField = "thresholds";
constexpr const char* kSeenField = "seen";
constexpr std::size_t kLongestName = 1024;

/// Reads fields of one JSON object of the metadata; errors name file, field and reason.
class Reader {
 public:
  Reader(const WeightFile& file, std::string field, const Json& object)
      : file_(file), field_(std::move(field)), object_(object) {}

  [[nodiscard]] Error refuse(std::string_view key, std::string_view reason) const {
    return fail(Error::Kind::kFormat, "{}: metadata '{}.{}' {}", file_.source(), field_, key, reason);
  }
  Result<double> number(const char* key, double low, double high) const {
    const auto found = object_.find(key);
    if (found == object_.end() || !found->is_number()) return refuse(key, "is missing or no number");
    const double value = found->get<double>();
    if (!(value >= low && value <= high)) return refuse(key, fmt::format("is {}, expected {} to {}", value, low, high));
    return value;
  }
  Result<int> integer(const char* key, int low, int high) const {
    FOVEA_ASSIGN(const double value, number(key, low, high));
    if (value != std::floor(value)) return refuse(key, fmt::format("is {}, expected a whole number", value));
    return static_cast<int>(value);
  }
  /// A word that `parse` turns into an optional.
  template <class Parse>
  auto word(const char* key, const Parse& parse) const -> Result<typename decltype(parse(std::string_view()))::value_type> {
    const auto found = object_.find(key);
    if (found == object_.end() || !found->is_string()) return refuse(key, "is missing or no text");
    const auto value = parse(found->template get_ref<const std::string&>());
    if (!value)
      return refuse(key, fmt::format("is '{}', which is not known", printable(found->template get_ref<const std::string&>())));
    return *value;
  }
  Result<std::array<float, 3>> triple(const char* key, double low, double high) const {
    const auto found = object_.find(key);
    if (found == object_.end() || !found->is_array() || found->size() != 3) return refuse(key, "is missing or not three numbers");
    std::array<float, 3> values{};
    for (std::size_t i = 0; i < 3; ++i) {
      const Json& element = (*found)[i];
      const double value = element.is_number() ? element.get<double>() : std::nan("");
      if (!(value >= low && value <= high))
        // Never the element's own text: writing what is nested deeply overflows the stack.
        return refuse(key, fmt::format("holds {}, expected {} to {}",
                                       element.is_number() ? fmt::format("{}", value) : element.type_name(), low, high));
      values[i] = static_cast<float>(value);
    }
    return values;
  }

 private:
  const WeightFile& file_;
  std::string field_;
  const Json& object_;
};

/// For Reader::word where every text will do.
std::optional<std::string> any_text(std::string_view text) { return std::string(text); }

Result<std::string> text_field(const WeightFile& file, const char* field) {
  const auto found = file.metadata().find(field);
  if (found == file.metadata().end()) return fail(Error::Kind::kFormat, "{}: metadata '{}' is missing", file.source(), field);
  return found->second;
}

Result<Json> json_field(const WeightFile& file, const char* field, Json::value_t type) {
  FOVEA_ASSIGN(const std::string text, text_field(file, field));
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || json.type() != type)
    return fail(Error::Kind::kFormat, "{}: metadata '{}' is not the JSON {} expected", file.source(), field,
                type == Json::value_t::array ? "array" : "object");
  return json;
}

Result<void> check_version(const WeightFile& file) {
  FOVEA_ASSIGN(const std::string version, text_field(file, kVersionField));
  if (version == std::to_string(kModelFormatVersion)) return {};
  return fail(Error::Kind::kUnsupported,
              "{}: model format version '{}', this program reads {}: use the program that wrote it, or a newer one",
              file.source(), printable(version), kModelFormatVersion);
}

Result<NetworkSpec> read_network(const WeightFile& file, NetworkSpec spec) {
  FOVEA_ASSIGN(const Json json, json_field(file, "network", Json::value_t::object));
  const Reader read(file, "network", json);
  FOVEA_ASSIGN(spec.padding, read.word("padding", padding_from));
  FOVEA_ASSIGN(spec.bn_eps, read.number("bn_eps", 1e-8, 1e-1));
  FOVEA_ASSIGN(spec.bn_momentum, read.number("bn_momentum", 0, 1));
  FOVEA_ASSIGN(spec.dropout, read.number("dropout", 0, 0.95));
  FOVEA_ASSIGN(spec.head, read.word("head", head_from));
  FOVEA_ASSIGN(spec.head_channels, read.integer("head_channels", 1, NetworkLimits::kMaxHeadChannels));
  return spec;
}

Result<std::vector<std::string>> read_classes(const WeightFile& file) {
  FOVEA_ASSIGN(const Json json, json_field(file, "classes", Json::value_t::array));
  if (json.empty() || json.size() > NetworkLimits::kMaxClasses) {
    return fail(Error::Kind::kLimit, "{}: metadata 'classes' holds {} names, expected 1 to {}", file.source(), json.size(),
                NetworkLimits::kMaxClasses);
  }
  std::vector<std::string> classes;
  std::set<std::string> seen;
  for (const Json& name : json) {
    if (!name.is_string() || name.get_ref<const std::string&>().empty() ||
        name.get_ref<const std::string&>().size() > kLongestName) {
      return fail(Error::Kind::kFormat, "{}: metadata 'classes' entry {} is no name of 1 to {} bytes", file.source(),
                  classes.size(), kLongestName);
    }
    classes.push_back(name.get<std::string>());
    if (printable(classes.back(), classes.back().size()) != classes.back()) {
      return fail(Error::Kind::kFormat, "{}: metadata 'classes' entry '{}' holds control characters", file.source(),
                  printable(classes.back()));
    }
    if (!seen.insert(classes.back()).second)
      return fail(Error::Kind::kFormat, "{}: metadata 'classes' names '{}' twice", file.source(), printable(classes.back()));
  }
  return classes;
}

Result<Preprocess> read_preprocess(const WeightFile& file) {
  FOVEA_ASSIGN(const Json json, json_field(file, "preprocess", Json::value_t::object));
  const Reader read(file, "preprocess", json);
  Preprocess card;
  FOVEA_ASSIGN(card.height, read.integer("height", NetworkLimits::kMinSide, NetworkLimits::kMaxSide));
  FOVEA_ASSIGN(card.width, read.integer("width", NetworkLimits::kMinSide, NetworkLimits::kMaxSide));
  FOVEA_ASSIGN(card.fit, read.word("fit", fit_from));
  FOVEA_ASSIGN(card.filter, read.word("filter", filter_from));
  FOVEA_ASSIGN(const double fraction, read.number("crop_fraction", 0.1, 1));
  card.crop_fraction = static_cast<float>(fraction);
  FOVEA_ASSIGN(card.mean, read.triple("mean", -10, 10));
  FOVEA_ASSIGN(card.std, read.triple("std", 1e-3, 10));
  // The one colour order there is; stated so that other programs need not guess.
  const auto rgb = [](std::string_view text) { return text == "RGB" ? std::optional(true) : std::nullopt; };
  if (auto order = read.word("colour_order", rgb); !order) return order.error();
  return card;
}

/// "temperature", and "map": [[stated, actual], ...] where the model has one.
Result<Calibration> read_calibration(const WeightFile& file) {
  constexpr const char* kField = "calibration";
  constexpr std::size_t kMostKnots = 4096;
  FOVEA_ASSIGN(const Json json, json_field(file, kField, Json::value_t::object));
  const Reader read(file, kField, json);
  Calibration calibration;
  FOVEA_ASSIGN(calibration.temperature, read.number("temperature", 1e-2, 1e2));
  const auto map = json.find("map");
  if (map == json.end()) return calibration;
  if (!map->is_array() || map->size() > kMostKnots)
    return read.refuse("map", fmt::format("is no list of at most {}", kMostKnots));
  const auto share = [](const Json& value) { return value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 1; };
  for (const Json& pair : *map) {
    if (!pair.is_array() || pair.size() != 2 || !share(pair[0]) || !share(pair[1])) {
      return read.refuse("map", "holds something else than pairs of 0 to 1");
    }
    const Calibration::Knot knot{pair[0].get<double>(), pair[1].get<double>()};
    if (!calibration.map.empty() &&
        !(knot.stated > calibration.map.back().stated && knot.actual >= calibration.map.back().actual))
      return read.refuse("map", "does not ascend");
    calibration.map.push_back(knot);
  }
  return calibration;
}

Json calibration_card(const Calibration& calibration) {
  Json card{{"temperature", calibration.temperature}};
  if (!calibration.map.empty()) card["map"] = Json::array();
  for (const Calibration::Knot& knot : calibration.map) card["map"].push_back(Json::array({knot.stated, knot.actual}));
  return card;
}

/// What is not in tensors of it.
Result<std::optional<Rejection>> read_rejection_card(const WeightFile& file) {
  if (!file.metadata().contains(kRejectionField)) return std::optional<Rejection>();
  FOVEA_ASSIGN(const Json json, json_field(file, kRejectionField, Json::value_t::object));
  const Reader read(file, kRejectionField, json);
  Rejection rejection;
  FOVEA_ASSIGN(rejection.rest, read.number("rest", 1e-12, 1e12));
  if (json.contains("energy_mean") || json.contains("energy_deviation")) {
    Rejection::Energy energy;
    FOVEA_ASSIGN(energy.mean, read.number("energy_mean", -1e12, 1e12));
    FOVEA_ASSIGN(energy.deviation, read.number("energy_deviation", 1e-12, 1e12));
    rejection.energy = energy;
  }
  FOVEA_ASSIGN(rejection.threshold, read.number("threshold", -1e12, 1e12));
  FOVEA_ASSIGN(rejection.known_rejected, read.number("known_rejected", 0, 1));
  FOVEA_ASSIGN(const double photos, read.number("known_photos", 0, 1e12));
  rejection.known_photos = static_cast<std::int64_t>(photos);
  FOVEA_ASSIGN(rejection.measured_on, read.word("measured_on", any_text));
  return std::optional(std::move(rejection));
}

Json rejection_card(const Rejection& rejection) {
  Json card{{"rest", rejection.rest},
            {"threshold", rejection.threshold},
            {"known_rejected", rejection.known_rejected},
            {"known_photos", rejection.known_photos},
            {"measured_on", rejection.measured_on}};
  if (const auto& energy = rejection.energy) {
    card["energy_mean"] = energy->mean;
    card["energy_deviation"] = energy->deviation;
  }
  return card;
}

/// None in a model of one class a photo, which has no such field.
Result<std::vector<double>> read_thresholds(const WeightFile& file, std::size_t classes) {
  std::vector<double> thresholds;
  if (!file.metadata().contains(kThresholdsField)) return thresholds;
  FOVEA_ASSIGN(const Json json, json_field(file, kThresholdsField, Json::value_t::array));
  if (json.size() != classes) {
    return fail(Error::Kind::kFormat, "{}: metadata '{}' holds {} numbers for {} classes", file.source(), kThresholdsField,
                json.size(), classes);
  }
  for (const Json& number : json) {
    const double value = number.is_number() ? number.get<double>() : std::nan("");
    if (!(value > 0 && value < 1)) {
      return fail(Error::Kind::kFormat, "{}: metadata '{}' entry {} is no number between 0 and 1", file.source(),
                  kThresholdsField, thresholds.size());
    }
    thresholds.push_back(value);
  }
  return thresholds;
}

Json marks_card(const PhotoMarks& marks) { return {{"photos", marks.photos}, {"marks", text_of(marks.marks)}}; }

Result<PhotoMarks> read_marks(const WeightFile& file, const Json& json, const char* part) {
  const std::string field = fmt::format("{}.{}", kSeenField, part);
  const auto found = json.find(part);
  if (found == json.end() || !found->is_object())
    return fail(Error::Kind::kFormat, "{}: metadata '{}' is missing or no object", file.source(), field);
  const Reader read(file, field, *found);
  PhotoMarks marks;
  FOVEA_ASSIGN(const double photos, read.number("photos", 0, 1e12));
  marks.photos = static_cast<std::int64_t>(photos);
  FOVEA_ASSIGN(const std::string text, read.word("marks", any_text));
  auto listed = marks_from(text);
  if (!listed) return read.refuse("marks", "is no list of ascending marks");
  marks.marks = std::move(*listed);
  return marks;
}

/// None in a file that does not say.
Result<std::optional<SeenPhotos>> read_seen(const WeightFile& file) {
  if (!file.metadata().contains(kSeenField)) return std::optional<SeenPhotos>();
  FOVEA_ASSIGN(const Json json, json_field(file, kSeenField, Json::value_t::object));
  SeenPhotos seen;
  FOVEA_ASSIGN(seen.learned, read_marks(file, json, "learned"));
  FOVEA_ASSIGN(seen.judged, read_marks(file, json, "judged"));
  FOVEA_ASSIGN(seen.chose, Reader(file, kSeenField, json).word("chose", any_text));
  return std::optional(std::move(seen));
}

std::vector<std::pair<std::string, std::string>> read_provenance(const WeightFile& file) {
  std::vector<std::pair<std::string, std::string>> provenance;
  const auto found = file.metadata().find("provenance");
  if (found == file.metadata().end()) return provenance;
  const auto json = nlohmann::ordered_json::parse(found->second, nullptr, false);
  if (!json.is_object()) return provenance;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) provenance.emplace_back(key, value.get<std::string>());
  }
  return provenance;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

bool has_model_card(const WeightFile& file) { return file.metadata().contains(kVersionField); }

std::map<std::string, std::string> write_model_card(const Model& model) {
  const NetworkSpec& spec = model.spec;
  const Preprocess& card = model.preprocess;
  nlohmann::ordered_json provenance = nlohmann::ordered_json::object();
  for (const auto& [key, value] : model.provenance) provenance[key] = value;
  std::map<std::string, std::string> fields{{kVersionField, std::to_string(kModelFormatVersion)},
                                            {"architecture", model.architecture},
                                            {"network", dump({{"padding", name_of(spec.padding)},
                                                              {"bn_eps", spec.bn_eps},
                                                              {"bn_momentum", spec.bn_momentum},
                                                              {"dropout", spec.dropout},
                                                              {"head", name_of(spec.head)},
                                                              {"head_channels", spec.head_channels}})},
                                            {"classes", dump(model.classes)},
                                            {"preprocess", dump({{"height", card.height},
                                                                 {"width", card.width},
                                                                 {"fit", name_of(card.fit)},
                                                                 {"filter", name_of(card.filter)},
                                                                 {"crop_fraction", card.crop_fraction},
                                                                 {"mean", card.mean},
                                                                 {"std", card.std},
                                                                 {"colour_order", "RGB"}})},
                                            {"calibration", dump(calibration_card(model.calibration))},
                                            {"provenance", provenance.dump(-1, ' ', false, Json::error_handler_t::replace)}};
  if (const auto& rejection = model.rejection) {
    fields[kRejectionField] = dump(rejection_card(*rejection));
  }
  if (const auto& seen = model.seen) {
    fields[kSeenField] =
        dump({{"learned", marks_card(seen->learned)}, {"judged", marks_card(seen->judged)}, {"chose", seen->chose}});
  }
  if (model.multi_label()) fields[kThresholdsField] = dump(model.thresholds);
  return fields;
}

Result<Model> read_model_card(const WeightFile& file) {
  FOVEA_TRY(check_version(file));
  Model model;
  FOVEA_ASSIGN(const std::string name, text_field(file, "architecture"));
  auto architecture = find_architecture(name);
  if (!architecture)
    return fail(Error::Kind::kFormat, "{}: metadata 'architecture': {}", file.source(), architecture.error().message);
  model.architecture = architecture->name;
  FOVEA_ASSIGN(model.spec, read_network(file, architecture->spec));
  FOVEA_ASSIGN(model.classes, read_classes(file));
  FOVEA_ASSIGN(model.preprocess, read_preprocess(file));
  FOVEA_ASSIGN(model.calibration, read_calibration(file));
  model.spec.classes = static_cast<int>(model.classes.size());
  model.spec.height = model.preprocess.height;
  model.spec.width = model.preprocess.width;
  FOVEA_ASSIGN(model.rejection, read_rejection_card(file));
  FOVEA_ASSIGN(model.thresholds, read_thresholds(file, model.classes.size()));
  FOVEA_ASSIGN(model.seen, read_seen(file));
  model.provenance = read_provenance(file);
  return model;
}

}  // namespace fovea
