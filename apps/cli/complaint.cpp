// SPDX-License-Identifier: Apache-2.0
#include "complaint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace fovea::cli {
namespace {

/// Letters to insert, drop or replace to make one word of the other (V. Levenshtein, 1966).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// "; did you mean 'annotate'?" where one of `words` is a slip away from `word`, else nothing.
std::string nearest_of(std::span<const std::string> words, std::string_view word) {
  if (words.empty()) return "";
  const auto nearest = std::ranges::min_element(words, {}, [&](const std::string& w) { return edit_distance(word, w); });
  const std::size_t slip = std::min<std::size_t>(2, nearest->size() / 3);
  return edit_distance(word, *nearest) <= slip ? fmt::format("; did you mean '{}'?", *nearest) : "";
}

/// The verb that was being read, with what stands below it: "fovea bench sort".
const CLI::App& innermost(const CLI::App& app, std::string& name) {
  name = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return *at;
}

std::string unknown_flag(const CLI::App& verb, std::string flag) {
  flag = flag.substr(0, flag.find('='));
  // What the same thing is called elsewhere.
  constexpr std::pair<std::string_view, std::string_view> kElsewhere[] = {
      {"--imgsz", "--size"},  {"--batch-size", "--batch"}, {"--learning-rate", "--lr"}, {"--lr0", "--lr"},
      {"--project", "--run"}, {"--out", "--output"},       {"--gpu", "--device"},       {"--workers", "--threads"},
  };
  std::vector<std::string> flags;
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  for (const auto& [other, ours] : kElsewhere) {
    if (flag == other && std::ranges::find(flags, ours) != flags.end()) {
      return fmt::format("there is no flag '{}'; did you mean '{}'?", flag, ours);
    }
  }
  return fmt::format("there is no flag '{}'{}", flag, nearest_of(flags, flag));
}

/// What is wrong with words that nothing took; empty where there are none.
std::string left_over(const CLI::App& verb) {
  const std::vector<std::string> words = verb.remaining();
  for (const std::string& word : words) {
    if (word.size() > 1 && word.starts_with('-')) return unknown_flag(verb, word);
  }
  const std::vector<const CLI::App*> below = verb.get_subcommands([](const CLI::App*) { return true; });
  if (!below.empty()) {
    std::vector<std::string> names;
    names.reserve(below.size());
    for (const CLI::App* subcommand : below) names.push_back(subcommand->get_name());
    const std::string wrong = words.empty() ? "" : fmt::format("there is no '{}'; ", words.front());
    return fmt::format("{}expected {}", wrong, fmt::join(names, ", "));
  }
  return words.empty() ? "" : fmt::format("'{}' is one word too many", words.front());
}

std::string complaint_of(const CLI::App& verb, const CLI::ParseError& error) {
  const std::string said = error.what();
  const std::string flag = said.substr(0, said.find(':'));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && said.ends_with(" missing")) {
    return fmt::format("{} needs a value", flag);
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && said.find("At Most") != std::string::npos) {
    return fmt::format("{} is given more than once", flag);
  }
  const bool missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  const bool extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const std::string words = missing || extra ? left_over(verb) : "";
  return words.empty() ? said : words;
}

int tell(std::string_view name, std::string_view what) {
  fmt::print(stderr, "{}: {}\nTry '{} --help'.\n", name, what, name);
  return kNothingDone;
}

}  // namespace

int complain_of_verb(std::span<const Verb> verbs, std::string_view word) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs) names.emplace_back(verb.name);
  return tell("fovea", fmt::format("there is no verb '{}'{}", word, nearest_of(names, word)));
}

int complain(const CLI::App& app, const CLI::ParseError& error) {
  std::string name;
  const CLI::App& verb = innermost(app, name);
  return tell(name, complaint_of(verb, error));
}

}  // namespace fovea::cli
