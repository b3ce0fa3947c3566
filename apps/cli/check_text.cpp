// SPDX-License-Identifier: Apache-2.0
#include "check_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "fovea/figures.h"

namespace fovea::cli {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const CheckedPhoto& photo) {
  return {{"path", photo.path.string()}, {"split", photo.split}, {"label", photo.label}};
}

ordered_json finding(std::string_view kind, bool needs_a_person) {
  return {{"event", "finding"}, {"kind", kind}, {"needs_a_person", needs_a_person}};
}

ordered_json finding(std::string_view kind, bool needs_a_person, const CheckedPhoto& photo) {
  ordered_json object = finding(kind, needs_a_person);
  object.update(json_of(photo));
  return object;
}

class Page {
 public:
  Page(Console& console, const std::filesystem::path& root, int most) : console_(console), root_(root), most_(most) {}

  template <class Finding>
  void section(std::string_view title, const std::vector<Finding>& findings, const std::function<void(const Finding&)>& print) {
    if (findings.empty()) return;
    console_.print("");
    console_.print(fmt::format("{}: {}", title, findings.size()));
    const std::size_t shown =
        most_ > 0 ? std::min<std::size_t>(findings.size(), static_cast<std::size_t>(most_)) : findings.size();
    for (const Finding& one : std::span(findings).first(shown)) print(one);
    if (shown < findings.size()) line(fmt::format("and {} more; --list 0 shows all", findings.size() - shown));
  }
  void line(std::string_view text) { console_.print(fmt::format("  {}", text)); }

  [[nodiscard]] std::string shown(const std::filesystem::path& path) const {
    const auto below = path.lexically_relative(root_);
    return in_line(below.empty() || below.native().starts_with("..") ? path.string() : below.string());
  }

  void files(const CheckReport& report, bool unusable) {
    std::vector<FileFinding> wanted;
    std::ranges::copy_if(report.files, std::back_inserter(wanted),
                         [&](const FileFinding& f) { return (f.problem <= FileProblem::kTruncated) == unusable; });
    section<FileFinding>(unusable ? "files that cannot be used" : "files worth a look", wanted, [&](const FileFinding& f) {
      // The decoder's words may begin with the path.
      const std::string path = f.photo.path.string();
      const std::string reason = f.reason.starts_with(path + ": ") ? f.reason.substr(path.size() + 2) : f.reason;
      line(fmt::format("{:<10} {}: {}", name_of(f.problem), shown(f.photo.path), reason));
    });
  }

  void duplicates(std::string_view title, const CheckReport& report, const std::function<bool(const DuplicateGroup&)>& wanted) {
    std::vector<DuplicateGroup> groups;
    std::ranges::copy_if(report.duplicates, std::back_inserter(groups), wanted);
    section<DuplicateGroup>(title, groups, [&](const DuplicateGroup& group) {
      line(group.exact ? "the same bytes" : "nearly the same");
      constexpr std::size_t kMost = 6;
      for (const CheckedPhoto& photo : std::span(group.photos).first(std::min(kMost, group.photos.size()))) {
        line("  " + shown(photo.path));
      }
      if (group.photos.size() > kMost) line(fmt::format("  and {} more", group.photos.size() - kMost));
    });
  }

  void classes(const CheckReport& report, bool never_learned) {
    std::vector<ClassFinding> wanted;
    std::ranges::copy_if(report.class_findings, std::back_inserter(wanted), [&](const ClassFinding& c) {
      return (c.problem == ClassFinding::Problem::kNotInTraining) == never_learned;
    });
    section<ClassFinding>(
        never_learned ? "classes without a training photo" : "classes out of balance", wanted,
        [&](const ClassFinding& c) { line(fmt::format("{:<17} {}: {}", name_of(c.problem), c.name, c.reason)); });
  }

  void labels(const CheckReport& report) {
    const auto said = [](const std::string& labels) { return labels.empty() ? std::string("no label") : labels; };
    section<LabelFinding>("labels that look wrong, most suspicious first", report.labels, [&](const LabelFinding& l) {
      line(fmt::format("{:>7} {} rather than {}: {}", percent(l.probability), said(l.predicted), said(l.photo.label),
                       shown(l.photo.path)));
    });
  }

  void shapes(const CheckReport& report) {
    section<ShapeFinding>("odd shapes, of which --fit crop cuts most away", report.shapes, [&](const ShapeFinding& s) {
      line(fmt::format("{:>7} of {} x {}: {}", percent(s.lost), s.width, s.height, shown(s.photo.path)));
    });
  }

 private:
  Console& console_;
  std::filesystem::path root_;
  int most_;
};

void print_summary(Console& console, const CheckReport& report) {
  ClassCount sum;
  for (const ClassCount& c : report.classes) sum.train += c.train, sum.val += c.val, sum.test += c.test;
  std::string splits = fmt::format("{} to train", sum.train);
  if (sum.val > 0) splits += fmt::format(", {} to validate", sum.val);
  if (sum.test > 0) splits += fmt::format(", {} to test", sum.test);
  console.print(fmt::format("{} of {}: {}", counted(report.photos, "photo"),
                            counted(static_cast<std::int64_t>(report.classes.size()), "class"), splits));
  const SizeSummary& sizes = report.sizes;
  if (sizes.largest == 0) return;
  const std::string sides =
      sizes.smallest == sizes.largest
          ? fmt::format("every shorter side has {} pixels", sizes.smallest)
          : fmt::format("shorter sides of {} to {} pixels, half of them above {}", sizes.smallest, sizes.largest, sizes.median);
  const std::string small = sizes.smaller_than_input == 0 ? "no photo" : counted(sizes.smaller_than_input, "photo");
  console.print(fmt::format("{}; {} below the network's input", sides, small));
  console.print(fmt::format("--fit crop would cut away {} of the typical photo", percent(sizes.median_lost)));
}

}  // namespace

void print_check(Console& console, const CheckReport& report, const std::filesystem::path& root, int most) {
  print_summary(console, report);
  Page page(console, std::filesystem::is_directory(root) ? root : root.parent_path(), most);
  page.files(report, true);
  page.duplicates("copies on both sides of a split", report, [](const DuplicateGroup& g) { return g.across_splits; });
  page.duplicates("copies in different classes", report,
                  [](const DuplicateGroup& g) { return g.across_classes && !g.across_splits; });
  page.classes(report, true);
  page.labels(report);
  page.files(report, false);
  page.duplicates("copies beside each other", report,
                  [](const DuplicateGroup& g) { return !g.across_classes && !g.across_splits; });
  page.classes(report, false);
  page.shapes(report);
}

void print_check_json(Console& console, const CheckReport& report) {
  for (const FileFinding& f : report.files) {
    ordered_json object = finding(name_of(f.problem), f.problem <= FileProblem::kTruncated, f.photo);
    object["reason"] = f.reason;
    console.print_json(object);
  }
  for (const DuplicateGroup& group : report.duplicates) {
    ordered_json object = finding("duplicates", group.across_splits || group.across_classes);
    object.update({{"exact", group.exact}, {"across_splits", group.across_splits}, {"across_classes", group.across_classes}});
    for (const CheckedPhoto& photo : group.photos) object["photos"].push_back(json_of(photo));
    console.print_json(object);
  }
  for (const LabelFinding& l : report.labels) {
    ordered_json object = finding("label", false, l.photo);
    object.update({{"predicted", l.predicted}, {"probability", l.probability}, {"label_probability", l.label_probability}});
    console.print_json(object);
  }
  for (const ClassFinding& c : report.class_findings) {
    ordered_json object = finding(name_of(c.problem), c.problem == ClassFinding::Problem::kNotInTraining);
    object.update({{"class", c.name}, {"reason", c.reason}});
    console.print_json(object);
  }
  for (const ShapeFinding& s : report.shapes) {
    ordered_json object = finding("shape", false, s.photo);
    object.update({{"width", s.width}, {"height", s.height}, {"lost", s.lost}});
    console.print_json(object);
  }
  ordered_json classes = ordered_json::array();
  for (const ClassCount& c : report.classes)
    classes.push_back({{"name", c.name}, {"train", c.train}, {"val", c.val}, {"test", c.test}});
  console.print_json({{"event", "result"},
                      {"photos", report.photos},
                      {"classes", classes},
                      {"labels_checked", report.labels_checked},
                      {"needs_a_person", report.needs_a_person()},
                      {"shorter_side", {report.sizes.smallest, report.sizes.median, report.sizes.largest}},
                      {"smaller_than_input", report.sizes.smaller_than_input},
                      {"lost_by_crop", report.sizes.median_lost},
                      {"notes", report.notes},
                      {"seconds", report.seconds}});
}

}  // namespace fovea::cli
