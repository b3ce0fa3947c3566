// SPDX-License-Identifier: Apache-2.0
#include "core/tuning.h"

#include <charconv>
#include <fstream>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace fovea {
namespace {

constexpr std::string_view kTitle = "fovea tuning 1";
constexpr std::string_view kEnd = "end";
constexpr std::size_t kLongestName = 512;

/// "3 NAME"
std::optional<std::pair<std::string, std::size_t>> choice_of(const std::string& line) {
  std::size_t choice = 0;
  const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), choice);
  const auto digits = static_cast<std::size_t>(rest - line.data());
  if (error != std::errc() || digits + 1 >= line.size() || line[digits] != ' ' || line.size() > kLongestName) return std::nullopt;
  return std::pair(line.substr(digits + 1), choice);
}

}  // namespace

Tuning::Tuning(std::filesystem::path file, std::string machine, Mode mode)
    : file_(std::move(file)), machine_(std::move(machine)), mode_(mode), choices_(read()) {}

Tuning::Choices Tuning::read() const {
  std::ifstream in(file_);
  std::string line;
  if (!std::getline(in, line) || line != kTitle || !std::getline(in, line) || line != machine_) return {};
  Choices found;
  while (std::getline(in, line) && line != kEnd) {
    auto choice = choice_of(line);
    if (!choice || found.size() >= kMostChoices) return {};
    found.insert(std::move(*choice));
  }
  return line == kEnd ? found : Choices();  // else it was cut short
}

std::optional<std::size_t> Tuning::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = choices_.find(name);
  return found == choices_.end() ? std::nullopt : std::optional(found->second);
}

void Tuning::keep(const std::string& name, std::size_t choice) {
  const std::lock_guard lock(mutex_);
  if (choices_.size() >= kMostChoices) choices_.clear();
  if (unsaved_.size() >= kMostChoices) unsaved_.clear();
  choices_[name] = unsaved_[name] = choice;
}

Result<void> Tuning::save() {
  const std::lock_guard lock(mutex_);
  if (unsaved_.empty() || file_.empty()) return {};
  Choices all = unsaved_;
  for (const auto& other : read()) {
    if (all.size() < kMostChoices) all.insert(other);
  }
  std::string text = fmt::format("{}\n{}\n", kTitle, machine_);
  for (const auto& [name, choice] : all) text += fmt::format("{} {}\n", choice, name);
  text += fmt::format("{}\n", kEnd);
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  FOVEA_TRY(write_file_atomically(file_, text));
  choices_ = std::move(all);
  unsaved_.clear();
  return {};
}

}  // namespace fovea
