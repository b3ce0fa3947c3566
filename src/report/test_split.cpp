// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {

std::string test_split(const TrainReport& report) {
  if (!report.test_accuracy) return {};
  const bool sets = report.test_multi_label.has_value();
  const double value = sets ? report.test_multi_label->mean_average_precision : *report.test_accuracy;
  const Interval interval = sets ? report.test_multi_label->interval : report.test_interval;
  std::string html = fmt::format("<figure><figcaption>{} {} on {}</figcaption>{}<dl class=\"facts\">", percent(value),
                                 measure_text(sets ? Measure::kMeanAveragePrecision : Measure::kAccuracy),
                                 escape(counted(report.test_photos, "test photo")), interval_bar(value, interval));
  html += term("95 % interval", percent(interval.low) + " to " + percent(interval.high));
  if (sets) {
    html += term("F1 of all answers", percent(report.test_multi_label->micro_f1)) +
            term("Mean F1 of the labels", percent(report.test_multi_label->macro_f1)) +
            term("Every label right", percent(report.test_multi_label->exact_match));
  }
  if (report.test_calibration_error) html += term("Calibration error", percent(*report.test_calibration_error));
  return html + "</dl></figure>\n";
}

}  // namespace fovea::report
