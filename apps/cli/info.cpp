// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "console.h"
#include "fovea/figures.h"
#include "fovea/inspect.h"
#include "verbs.h"

namespace fovea::cli {
namespace {

using nlohmann::ordered_json;

struct InfoFlags {
  std::vector<std::filesystem::path> paths;
  OutputFlags output;
};

std::string extents(const std::vector<std::int64_t>& values) {
  return values.empty() ? "scalar" : fmt::format("{}", fmt::join(values, "x"));
}

ordered_json object_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  ordered_json object = ordered_json::object();
  for (const auto& [key, value] : pairs) object[key] = value;
  return object;
}

std::string size_text(std::uintmax_t bytes) {
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

class Show {
 public:
  Show(Console& console, const std::filesystem::path& path) : console_(console), path_(path.string()) {}

  void operator()(const ModelDescription& m) const {
    if (console_.json()) {
      ordered_json rejection;  // null without
      if (m.rejection) {
        rejection = {{"threshold", m.rejection->threshold},
                     {"known_rejected", m.rejection->known_rejected},
                     {"known_photos", m.rejection->known_photos},
                     {"measured_on", m.rejection->measured_on}};
      }
      return print("model", {{"architecture", m.architecture},
                             {"classes", m.classes},
                             {"height", m.height},
                             {"width", m.width},
                             {"fit", m.fit},
                             {"filter", m.filter},
                             {"parameters", m.parameters},
                             {"bytes", m.bytes},
                             {"rejection", rejection},
                             {"thresholds", m.thresholds},
                             {"provenance", object_of(m.provenance)}});
    }
    console_.print(fmt::format("{}: a model, {}, {} parameters, {}", path_, m.architecture, m.parameters, size_text(m.bytes)));
    line("input", fmt::format("{} x {} pixels, {}, {}", m.width, m.height, m.fit, m.filter));
    line("classes", fmt::format("{}: {}", m.classes.size(), shortened(m.classes)));
    if (m.rejection) {
      line("unknown", fmt::format("above {:.3f}: {} of {} {}", m.rejection->threshold, percent(m.rejection->known_rejected),
                                  m.rejection->known_photos, m.rejection->measured_on));
    }
    if (!m.thresholds.empty()) {
      const auto [least, most] = std::ranges::minmax(m.thresholds);
      line("labels",
           fmt::format("any number a photo, each from its own probability on: {} to {}", percent(least), percent(most)));
    }
    for (const auto& [key, value] : m.provenance) line(key, value);
  }

  void operator()(const WeightsDescription& w) const {
    if (console_.json()) {
      ordered_json tensors = ordered_json::array();
      for (const auto& t : w.tensors) tensors.push_back({{"name", t.name}, {"dtype", t.dtype}, {"shape", t.extents}});
      return print("weights", {{"format", w.format},
                               {"tensors", tensors},
                               {"elements", w.elements},
                               {"bytes", w.bytes},
                               {"metadata", object_of(w.metadata)},
                               {"not_a_model", w.not_a_model}});
    }
    console_.print(fmt::format("{}: weights, {}, {}, {} elements, {}", path_, w.format,
                               counted(static_cast<std::int64_t>(w.tensors.size()), "tensor"), w.elements, size_text(w.bytes)));
    for (const auto& [key, value] : w.metadata) line(key, value);
    line("no model", w.not_a_model);
    for (const auto& t : w.tensors) console_.print(fmt::format("  {:<5} {:>16}  {}", t.dtype, extents(t.extents), t.name));
  }

  void operator()(const PhotosDescription& p) const {
    if (console_.json()) {
      ordered_json classes = ordered_json::array();
      for (const auto& c : p.classes) classes.push_back({{"name", c.name}, {"train", c.train}, {"val", c.val}, {"test", c.test}});
      return print("photos", {{"layout", p.layout}, {"classes", classes}, {"notes", p.notes}});
    }
    PhotosDescription::Class sum;
    std::size_t width = 5;
    for (const auto& c : p.classes) {
      sum = {"", sum.train + c.train, sum.val + c.val, sum.test + c.test};
      width = std::max(width, columns(c.name));
    }
    width = std::min<std::size_t>(width, 40);
    console_.print(fmt::format("{}: {} of {}, {}", path_, counted(sum.train + sum.val + sum.test, "photo"),
                               counted(static_cast<std::int64_t>(p.classes.size()), "class"), p.layout));
    console_.print(fmt::format("  {}  {:>7}  {:>7}  {:>7}", fitted("class", width), "train", "val", "test"));
    for (const auto& c : p.classes)
      console_.print(fmt::format("  {}  {:>7}  {:>7}  {:>7}", fitted(c.name, width), c.train, c.val, c.test));
    for (const std::string& note : p.notes) console_.note("note: " + note);
  }

  void operator()(const PhotoDescription& p) const {
    if (console_.json()) {
      return print(
          "photo",
          {{"format", p.format}, {"width", p.width}, {"height", p.height}, {"orientation", p.orientation}, {"bytes", p.bytes}});
    }
    const std::string turned = p.orientation == 1 ? "" : fmt::format(" when upright (Exif orientation {})", p.orientation);
    console_.print(
        fmt::format("{}: a photo, {}, {} x {} pixels{}, {}", path_, p.format, p.width, p.height, turned, size_text(p.bytes)));
  }

 private:
  void line(std::string_view key, std::string_view value) const {
    if (!value.empty()) console_.print("  " + wrapped(fmt::format("{:<12} {}", key, value), 63, 15));
  }
  static std::string shortened(const std::vector<std::string>& names) {
    constexpr std::size_t kMost = 12;
    std::string text = fmt::format("{}", fmt::join(std::span(names).first(std::min(names.size(), kMost)), ", "));
    return names.size() > kMost ? text + ", …" : text;
  }
  void print(std::string_view kind, const ordered_json& facts) const {
    ordered_json object{{"path", path_}, {"kind", kind}};
    object.update(facts);
    console_.print_json(object);
  }

  Console& console_;
  std::string path_;
};

int info(const InfoFlags& flags) {
  Console console("info", flags.output);
  std::size_t failed = 0;
  for (const auto& path : flags.paths) {
    const auto description = describe(path);
    if (description) {
      std::visit(Show(console, path), *description);
    } else {
      if (console.json()) console.print_json({{"path", path.string()}, {"error", description.error().message}});
      console.error(description.error().message);
      ++failed;
    }
  }
  return failed == 0 ? kDone : failed == flags.paths.size() ? kNothingDone : kSomeFailed;
}

}  // namespace

Run add_info(CLI::App& app) {
  auto flags = std::make_shared<InfoFlags>();
  app.description(
      "What a model, a weight file, a photo or a folder of photos holds.\n\n"
      "  fovea info weather.safetensors skies");
  app.add_option("PATH", flags->paths, "files and folders")->required();
  add_output_flags(app, flags->output);
  return [flags] { return info(*flags); };
}

}  // namespace fovea::cli
