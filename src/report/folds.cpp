// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {

std::string folds(const CrossValidation& folds) {
  if (folds.accuracies.empty()) return {};
  const std::string_view measure = measure_text(folds.measure);
  std::string html = fmt::format("<figure><figcaption>{} {}, give or take {} between folds</figcaption><ol class=\"pairs\">",
                                 percent(folds.mean), measure, percent(folds.deviation));
  for (std::size_t i = 0; i < folds.accuracies.size(); ++i) {
    html += fmt::format("<li><span><b>Fold {}</b></span><span class=\"count\">{}</span>{}</li>\n", i + 1,
                        percent(folds.accuracies[i]), bar(folds.accuracies[i]));
  }
  return html + "</ol></figure>\n";
}

}  // namespace fovea::report
