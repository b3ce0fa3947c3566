// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {
namespace {

std::string row(std::string_view what, std::string_view share, std::string_view of, double part) {
  return fmt::format("<li><span><b>{}</b> {}</span><span class=\"count\">{}</span>{}</li>\n", escape(what), escape(of),
                     escape(share), bar(part));
}

}  // namespace

std::string rejection(const Input& input) {
  std::string rows;
  std::string note;
  if (input.training && input.training->rejection) {
    const RejectionReport& r = *input.training->rejection;
    rows += row("Wrongly called unknown", percent(r.known_rejected),
                fmt::format("of {} {}, which also set the threshold", r.known_photos, r.measured_on), r.known_rejected);
    if (input.training->test_rejected) {
      rows += row("Wrongly called unknown", percent(*input.training->test_rejected),
                  fmt::format("of {}, which no choice saw", counted(input.training->test_photos, "test photo")),
                  *input.training->test_rejected);
    }
    if (r.none_photos > 0) {
      rows += row("Rightly called unknown", percent(r.none_rejected),
                  fmt::format("of {} of none of the classes, which also set the threshold", counted(r.none_photos, "photo")),
                  r.none_rejected);
    }
    note = fmt::format("A photo whose score exceeds the threshold of <strong>{:.3f}</strong> is called unknown.", r.threshold);
    if (r.none_area) {
      note += fmt::format(
          " In <strong>{}</strong> of all pairs of a photo of none of the classes and a known one, the former "
          "scores higher (area under the receiver operating characteristic, {:.3f}; 0.5 would be chance).",
          percent(*r.none_area), *r.none_area);
    }
  } else if (input.evaluation && input.evaluation->rejected) {
    const Evaluation& e = *input.evaluation;
    rows += row("Wrongly called unknown", percent(*e.rejected), "of " + counted(e.photos, input.measured_on), *e.rejected);
    if (e.none_rejected) {
      rows += row("Rightly called unknown", percent(*e.none_rejected),
                  "of " + counted(e.none_photos, "photo") + " of none of the classes", *e.none_rejected);
    }
  }
  if (rows.empty()) return {};
  return "<figure><ol class=\"pairs\">" + rows + "</ol>" + (note.empty() ? "" : "<p class=\"note\">" + note + "</p>") +
         "</figure>\n";
}

}  // namespace fovea::report
