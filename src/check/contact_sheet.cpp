// SPDX-License-Identifier: Apache-2.0
#include "check/contact_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "report/contact_sheet.h"
#include "report/html.h"

namespace fovea::checking {
namespace {

using report::escape;

// A page that a browser opens at once: each thumbnail takes some 5 kB.
constexpr std::size_t kMostSuspects = 300;
constexpr std::size_t kMostGroups = 60;
constexpr std::size_t kMostOfGroup = 8;
constexpr std::size_t kMostOfClasses = 600;  // shared out among them
constexpr std::size_t kMostOfClass = 36;
constexpr std::size_t kLeastOfClass = 6;

class Sheet {
 public:
  Sheet(const CheckReport& report, const Surveyed& surveyed) : report_(report), surveyed_(surveyed) {
    for (const SurveyedPhoto& photo : surveyed.photos) by_path_.emplace(photo.sample.path, &photo);
  }

  std::string page(const Preprocess& input) && {
    out_ = fmt::format(
        "<h1>What the network sees</h1>\n<p>{} photos of {} classes, each as <code>--fit {}</code> makes it a square of {} by {} "
        "pixels. Point at a picture for the file's path.</p>\n",
        report_.photos, report_.classes.size(), name_of(input.fit), input.width, input.height);
    for (const std::string& note : report_.notes) out_ += fmt::format("<p class=\"quiet\">{}</p>\n", escape(note));
    labels();
    duplicates("Copies on both sides of a split", [](const DuplicateGroup& g) { return g.across_splits; });
    duplicates("Copies in different classes", [](const DuplicateGroup& g) { return g.across_classes && !g.across_splits; });
    files();
    classes();
    return report::sheet_page("What the network sees", out_);
  }

 private:
  void figure(const CheckedPhoto& photo, std::string_view caption) {
    const auto found = by_path_.find(photo.path);
    if (found == by_path_.end() || found->second->thumbnail.empty()) return;
    out_ += report::thumbnail(found->second->thumbnail, photo.path.string(), photo.path.filename().string(), caption);
  }

  void heading(std::string_view title, std::size_t count, std::size_t shown) {
    out_ += fmt::format("<h2>{}: {}</h2>\n", title, count);
    if (shown < count) out_ += fmt::format("<p class=\"quiet\">The first {} of them.</p>\n", shown);
  }

  void labels() {
    if (report_.labels.empty()) return;
    const std::size_t shown = std::min(report_.labels.size(), kMostSuspects);
    heading("Labels that look wrong, most suspicious first", report_.labels.size(), shown);
    out_ += "<div class=\"row\">\n";
    for (const LabelFinding& l : std::span(report_.labels).first(shown)) {
      figure(l.photo, fmt::format("<b>{}</b> in {}?<br><span class=\"alarm\">{:.1f} % {}</span>", escape(l.photo.label),
                                  l.photo.split, 100 * l.probability, l.predicted.empty() ? "no label" : escape(l.predicted)));
    }
    out_ += "</div>\n";
  }

  template <class Wanted>
  void duplicates(std::string_view title, const Wanted& wanted) {
    const auto count = static_cast<std::size_t>(std::ranges::count_if(report_.duplicates, wanted));
    if (count == 0) return;
    heading(title, count, std::min(count, kMostGroups));
    std::size_t groups = 0;
    for (const DuplicateGroup& group : report_.duplicates) {
      if (!wanted(group) || groups++ >= kMostGroups) continue;
      out_ += "<div class=\"row group\">\n";
      for (const CheckedPhoto& photo : std::span(group.photos).first(std::min(group.photos.size(), kMostOfGroup))) {
        figure(photo, fmt::format("<b>{}</b><br>{}", escape(photo.label), photo.split));
      }
      if (group.photos.size() > kMostOfGroup) out_ += fmt::format("<p>and {} more</p>\n", group.photos.size() - kMostOfGroup);
      out_ += "</div>\n";
    }
  }

  void files() {
    if (report_.files.empty()) return;
    heading("Files", report_.files.size(), report_.files.size());
    out_ += "<ul>\n";
    for (const FileFinding& f : report_.files) {
      out_ += fmt::format("<li>{}: {}: {}</li>\n", name_of(f.problem), escape(f.photo.path.string()), escape(f.reason));
    }
    out_ += "</ul>\n";
  }

  void classes() {
    const std::size_t each =
        std::clamp(kMostOfClasses / std::max<std::size_t>(report_.classes.size(), 1), kLeastOfClass, kMostOfClass);
    std::vector<std::vector<const SurveyedPhoto*>> of_class(report_.classes.size());
    for (const SurveyedPhoto& photo : surveyed_.photos) {
      for (const int label : photo.sample.labels) {
        if (!photo.damage) of_class[static_cast<std::size_t>(label)].push_back(&photo);
      }
    }
    for (std::size_t k = 0; k < of_class.size(); ++k) {
      const auto& photos = of_class[k];
      out_ += fmt::format("<h2>{}: {} photos</h2>\n<div class=\"row\">\n", escape(report_.classes[k].name), photos.size());
      const std::size_t shown = std::min(photos.size(), each);
      // Spread evenly over the class.
      for (std::size_t i = 0; i < shown; ++i) {
        const CheckedPhoto photo = named(*photos[i * photos.size() / shown], surveyed_.classes);
        figure(photo, photo.split);
      }
      out_ += "</div>\n";
    }
  }

  const CheckReport& report_;
  const Surveyed& surveyed_;
  std::map<std::filesystem::path, const SurveyedPhoto*> by_path_;
  std::string out_;
};

}  // namespace

std::string contact_sheet(const CheckReport& report, const Surveyed& surveyed, const Preprocess& input) {
  return Sheet(report, surveyed).page(input);
}

}  // namespace fovea::checking
