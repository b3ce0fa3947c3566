// SPDX-License-Identifier: Apache-2.0
#include "metadata/facts.h"

#include <algorithm>
#include <utility>

namespace fovea::metadata {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

}  // namespace

void add_word(std::vector<std::string>& words, std::string word) {
  if (!word.empty() && std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
}

void Facts::complete_with(const Facts& other) {
  if (taken.empty()) taken = other.taken;
  if (camera.empty()) camera = other.camera;
  if (!place) place = other.place;
  for (const std::string& word : other.keywords) add_word(keywords, word);
}

std::string normal_date(std::string_view text) {
  // Separators may differ; where digits stand may not.
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  constexpr std::size_t kYear = 4;
  text = without_blanks(text);
  if (text.size() < kYear || !all_digits(text.substr(0, kYear)) || text.substr(0, kYear) == "0000") return {};
  std::string date(text.substr(0, kYear));
  for (std::size_t at = kYear; at + 2 < kForm.size() && text.size() >= at + 3; at += 3) {
    if (!all_digits(text.substr(at + 1, 2))) break;
    date += kForm[at];
    date += text.substr(at + 1, 2);
  }
  if (date.size() >= 7 && (date.substr(5, 2) == "00" || date.substr(5, 2) > "12")) return {};
  return date;
}

std::string camera_name(std::string_view maker, std::string_view model) {
  maker = without_blanks(maker);
  model = without_blanks(model);
  const std::string_view first_word = maker.substr(0, maker.find(' '));
  if (maker.empty() || (!model.empty() && model.starts_with(first_word))) return std::string(model);
  return model.empty() ? std::string(maker) : std::string(maker) + " " + std::string(model);
}

}  // namespace fovea::metadata
