// SPDX-License-Identifier: Apache-2.0
#include "archive/keywords.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fovea::archive {
namespace {

// One level, whatever a class is called.
std::string as_level(std::string name) {
  std::ranges::replace_if(
      name, [](char c) { return c == '/' || c == '|'; }, '-');
  return name;
}

void add_class(Words& words, const Prediction& prediction, const Wording& wording) {
  const auto named = wording.names.find(prediction.label);
  const bool renamed = named != wording.names.end();
  const std::vector<std::string> levels =
      renamed ? levels_of(named->second) : std::vector<std::string>{"Fovea", as_level(wording.model), as_level(prediction.label)};
  if (levels.empty()) return;
  metadata::add_word(words.fields.subject, renamed ? levels.back() : prediction.label);
  metadata::add_word(words.fields.hierarchical, fmt::format("{}", fmt::join(levels, "|")));
  metadata::add_word(words.fields.tags_list, fmt::format("{}", fmt::join(levels, "/")));
  words.shown.push_back(renamed ? fmt::format("{}", fmt::join(levels, "/")) : prediction.label);
  // "Fovea" and the model's name say nothing of the photo.
  for (const std::string& level : renamed ? levels : std::vector{prediction.label}) {
    words.levels.push_back({level, prediction.probability});
  }
}

}  // namespace

Words words_for(const Answer& answer, const Wording& wording) {
  Words words;
  if (answer.rejected) return words;
  const double least = wording.min_probability.value_or(wording.multi_label ? 0 : 0.5);
  const std::vector<Prediction> seen = wording.multi_label ? answer.labels : std::vector{answer.top()};
  for (const Prediction& prediction : seen) {
    if (prediction.probability >= least) add_class(words, prediction, wording);
  }
  return words;
}

std::vector<std::string> predictions_text(const Answer& answer) {
  constexpr double kLeast = 0.01;
  std::vector<std::string> lines;
  for (const Prediction& p : answer.predictions) {
    if (p.probability >= kLeast || lines.empty()) lines.push_back(fmt::format("{} {:.3f}", p.label, p.probability));
  }
  return lines;
}

metadata::Keywords carried_words(const metadata::Keywords& others) {
  metadata::Keywords carried = others;
  if (!carried.tags_list.empty()) return carried;
  for (std::string word : others.hierarchical) {
    std::ranges::replace(word, '|', '/');
    metadata::add_word(carried.tags_list, word);
  }
  if (carried.tags_list.empty()) carried.tags_list = others.subject;
  return carried;
}

}  // namespace fovea::archive
