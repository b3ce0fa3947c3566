// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <fmt/format.h>

#include "fovea/figures.h"
#include "fovea/version.h"
#include "report/charts.h"
#include "report/html.h"
#include "report/style.h"

namespace fovea::report {
namespace {

/// The figure that a model is to be remembered by.
struct Figure {
  double value = 0;
  Interval interval;
  std::string photos;  ///< "60 test photos"
  std::string worth;
  std::optional<double> chance;  ///< there for a mean average precision
};

/// On the test photos where there are any, which no choice saw.
std::optional<Figure> figure_of(const Input& input) {
  if (input.training && input.training->test_accuracy) {
    const TrainReport& t = *input.training;
    Figure figure{*t.test_accuracy, t.test_interval, counted(t.test_photos, "test photo"), "No choice saw these photos.", {}};
    if (const auto& sets = t.test_multi_label) {
      figure.value = sets->mean_average_precision;
      figure.interval = sets->interval;
      figure.chance = sets->chance;
    }
    return figure;
  }
  if (!input.evaluation || input.evaluation->photos == 0) return std::nullopt;
  const Evaluation& e = *input.evaluation;
  Figure figure{e.accuracy, e.interval, counted(e.photos, input.measured_on), input.worth, {}};
  if (const auto& sets = e.multi_label) {
    figure.value = sets->mean_average_precision;
    figure.interval = sets->interval;
    figure.chance = sets->chance;
  }
  return figure;
}

std::string headline(const Input& input) {
  const std::optional<Figure> figure = figure_of(input);
  if (!figure) {
    return "<div><div class=\"big\">?</div><p><b>Nothing is known yet about how good this model is.</b></p><p class=\"worth\">No "
           "photos "
           "were kept aside to measure it. Hold some out when training, or measure it on photos with known classes: "
           "<code>fovea val MODEL PHOTOS --report FILE</code>.</p></div>";
  }
  const std::string photos = escape(figure->photos);
  const std::string what = figure->chance ? fmt::format("mean average precision on <b>{}</b>", photos)
                                          : fmt::format("of <b>{}</b> named rightly", photos);
  const std::string by_chance =
      figure->chance ? fmt::format("; an order by chance would reach {}", percent(*figure->chance)) : std::string();
  return fmt::format(
      "<div><div class=\"big\">{:.1f}<small> %</small></div><p>{}</p>{}"
      "<p class=\"worth\">With 95 % confidence the true figure lies between <b>{}</b> and <b>{}</b>{}. {}</p></div>",
      100 * figure->value, what, interval_bar(figure->value, figure->interval), percent(figure->interval.low),
      percent(figure->interval.high), by_chance, escape(figure->worth));
}

std::string tiles(const Input& input) {
  std::string html = "<dl class=\"tiles\">";
  if (input.training) {
    const TrainReport& t = *input.training;
    html += term("Classes", std::to_string(t.classes.size())) + term("Trained on", counted(t.train_photos, "photo")) +
            term("Training took", duration(t.seconds)) + term("Best stage", t.best_stage);
  } else if (input.evaluation) {
    html += term("Classes", std::to_string(input.evaluation->classes.size()));
  }
  if (input.evaluation && input.evaluation->photos > 0) {
    const Evaluation& e = *input.evaluation;
    if (input.training && input.training->test_accuracy) {
      html +=
          term(e.multi_label ? "Mean average precision, validation" : "Right on validation photos",
               fmt::format("{} of {}", percent(e.multi_label ? e.multi_label->mean_average_precision : e.accuracy), e.photos));
    }
    if (e.multi_label) {
      html += term("F1 of all answers", percent(e.multi_label->micro_f1)) +
              term("Photos with every label right", percent(e.multi_label->exact_match));
    } else if (static_cast<std::size_t>(e.top) < e.classes.size())
      html += term(fmt::format("Among the top {}", e.top), percent(e.top_accuracy));
    html += term("Mean F1 of the classes", percent(e.macro_f1));
  }
  for (const Fact& fact : input.model) html += term(fact.name, fact.value);
  return html + "</dl>";
}

std::string measured(const Input& input) {
  const Evaluation& e = *input.evaluation;
  std::string html;
  if (e.multi_label) {
    html +=
        section("Label by label",
                "Weakest first. A photo may have any number of labels; each is answered where its probability reaches its own "
                "threshold.",
                "<figure>" + label_table(e) + "</figure>\n");
  } else {
    html += section("Who is taken for whom", "Strong blue on the diagonal is right, orange is wrong.", confusion(e));
    html += section("Class by class", "Weakest first. Found: the share of a class's photos that the model names rightly.",
                    "<figure>" + class_table(e) + "</figure>\n");
  }
  std::string pair;
  if (input.calibration) pair += figure("Do the probabilities keep their word?", reliability(*input.calibration));
  if (const std::string drawn = coverage(e.coverage); !drawn.empty())
    pair += figure("What is gained by answering only when sure", drawn);
  if (!pair.empty()) {
    html += section("Can its certainty be trusted?",
                    e.multi_label
                        ? "On the dashed line, of all labels given 80 % probability, 80 % are there. The larger a dot, the "
                          "more labels of photos it stands for."
                        : "On the dashed line, of all photos named with 80 % probability, 80 % are right. The larger a dot, "
                          "the more photos it stands for.",
                    "<div class=\"pair\">" + pair + "</div>\n");
  }
  if (!input.mistakes.empty()) {
    html += section(
        "The surest mistakes",
        fmt::format("{}. Beside each photo is where the network looked for its wrong answer. Some of these labels may be wrong "
                    "rather than the model.",
                    e.wrong.size() > input.mistakes.size()
                        ? fmt::format("{} of {}", input.mistakes.size(),
                                      counted(static_cast<std::int64_t>(e.wrong.size()), "wrong photo"))
                        : counted(static_cast<std::int64_t>(e.wrong.size()), "wrong photo")),
        mistakes(input.mistakes));
  }
  return html;
}

}  // namespace

std::string to_html(const Input& input) {
  const std::string title = escape(input.title);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\">\n<meta name=\"generator\" content=\"Fovea {}\">\n<title>{}: "
      "report</title>\n<style>{}</style>\n</head>\n<body><main>\n",
      version(), title, style());
  html +=
      fmt::format("<header><p class=\"over\">Fovea report</p><h1>{}</h1></header>\n<div class=\"hero\">{}<div>{}</div></div>\n",
                  title, headline(input), tiles(input));
  if (input.training) {
    if (const std::string drawn = test_split(*input.training); !drawn.empty()) {
      html +=
          section("On photos that no choice saw",
                  "The test photos took part in nothing: not in training, not in picking an epoch or a threshold. What they say "
                  "holds for new photos like them.",
                  drawn);
    }
  }
  if (input.training && !input.training->epochs.empty()) {
    html += section("How it learned",
                    "Training and validation loss should fall together; where they part, the network begins to learn by heart.",
                    curves(input.training->epochs));
  }
  if (input.evaluation && input.evaluation->photos > 0) html += measured(input);
  if (const std::string drawn = rejection(input); !drawn.empty()) {
    html +=
        section("Known and unknown", "A photo of none of the classes should be called unknown, and few others should.", drawn);
  }
  if (input.training && input.training->cross_validation) {
    const CrossValidation& validation = *input.training->cross_validation;
    if (const std::string drawn = folds(validation); !drawn.empty()) {
      html += section(
          fmt::format("Cross-validation of the {}", validation.what),
          "Each fold of the training photos is judged by what all others made. How far the folds differ is how far another "
          "choice of photos might move the figure.",
          drawn);
    }
  }
  html += run_facts(input);
  return html +
         fmt::format(
             "<footer>Made by Fovea {}. This file needs nothing else and can be passed on; it holds pictures of the photos "
             "shown above.</footer>\n</main></body>\n</html>\n",
             version());
}

}  // namespace fovea::report
