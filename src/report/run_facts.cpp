// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {
namespace {

std::string list(std::span<const Fact> facts) {
  std::string html = "<dl class=\"facts\">";
  for (const Fact& fact : facts) html += term(fact.name, fact.value);
  return html + "</dl>";
}

std::string choices(const TrainReport& report) {
  std::string html = "<table class=\"choices\"><tbody>\n";
  for (const Choice& choice : report.choices) {
    html += fmt::format("<tr><th scope=\"row\">{}</th><td><b>{}</b><span>{}</span></td></tr>\n", escape(choice.what),
                        escape(choice.chosen), escape(choice.reason));
  }
  return html + "</tbody></table>";
}

std::string stages(const TrainReport& report) {
  double longest = 0;
  for (const StageReport& stage : report.stages) longest = std::max(longest, stage.seconds);
  std::string html = "<ol class=\"pairs\">";
  for (const StageReport& stage : report.stages) {
    html += fmt::format("<li><span><b>{}</b>{}</span><span class=\"count\">{}</span>{}</li>\n", escape(stage.name),
                        stage.accuracy ? fmt::format(" &rarr; {} {}", percent(*stage.accuracy), measure_text(stage.measure)) : "",
                        duration(stage.seconds), bar(longest > 0 ? stage.seconds / longest : 0));
  }
  return html + "</ol>";
}

std::string utilisation(const Utilisation& u) {
  std::string html = "<dl class=\"facts\">" + term("Photos", fmt::format("{:.1f} a second", u.images_per_second)) +
                     term("Waiting for photos", percent(u.wait_share) + " of the time");
  if (u.device_busy) html += term("The GPU computed", percent(*u.device_busy) + " of the time");
  if (!u.remedy.empty()) html += term("Remedy", u.remedy);
  return html + "</dl>";
}

std::string skipped(std::span<const SkippedPhoto> photos) {
  constexpr std::size_t kMost = 50;
  std::string html = "<ul class=\"skipped\">";
  for (const SkippedPhoto& photo : photos.first(std::min(kMost, photos.size()))) {
    html += fmt::format("<li><b>{}</b> <span>{}</span></li>\n", escape(photo.path.string()), escape(photo.reason));
  }
  if (photos.size() > kMost) html += fmt::format("<li>and {} more</li>", photos.size() - kMost);
  return html + "</ul>";
}

}  // namespace

std::string run_facts(const Input& input) {
  std::string html;
  if (input.training) {
    const TrainReport& report = *input.training;
    std::string pair;
    if (!report.stages.empty())
      pair += figure(fmt::format("Where the time went: {} in all", duration(report.seconds)), stages(report));
    if (report.utilisation) pair += figure("Fine-tuning", utilisation(*report.utilisation));
    if (!input.hardware.empty()) pair += figure("Hardware", list(input.hardware));
    html +=
        section("How it was trained",
                report.stopped ? "The run was stopped before its end; this is the best model until then."
                               : "Choices are made from the data and by trials; each with its reason.",
                (report.choices.empty() ? "" : figure("Choices", choices(report))) + "<div class=\"pair\">" + pair + "</div>");
  } else if (!input.hardware.empty()) {
    html += section("Hardware", "What it was measured on.", list(input.hardware));
  }
  const std::vector<SkippedPhoto>* photos = input.training     ? &input.training->skipped
                                            : input.evaluation ? &input.evaluation->skipped
                                                               : nullptr;
  if (photos != nullptr && !photos->empty()) {
    html += section("Skipped photos",
                    counted(static_cast<std::int64_t>(photos->size()), "photo") + " could not be read and took no part.",
                    skipped(*photos));
  }
  if (!input.provenance.empty()) html += section("Provenance", "As stored in the model file.", list(input.provenance));
  return html;
}

}  // namespace fovea::report
