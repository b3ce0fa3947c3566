// SPDX-License-Identifier: Apache-2.0
#include "data/notes.h"

#include <fmt/format.h>

#include "core/error.h"

namespace fovea {

void Notes::add(const std::string& reason, const std::filesystem::path& path) {
  Passed& passed = passed_[reason];
  if (passed.count++ == 0) passed.first = path;
}

void Notes::add_missing(const std::string& reason, const std::filesystem::path& path) {
  add(reason, path);
  missing_.push_back({path, reason});
}

std::string Notes::text(const std::string& reason, const Passed& passed) {
  const std::string first = printable(passed.first.string(), 300);
  if (passed.count == 1) return fmt::format("{}: {}", reason, first);
  return fmt::format("{}: {} entries, such as {}", reason, passed.count, first);
}

std::string Notes::passed_over() const {
  std::string all;
  for (const auto& [reason, passed] : passed_) all += (all.empty() ? "" : "; ") + text(reason, passed);
  return all;
}

std::vector<std::string> Notes::lines() const {
  std::vector<std::string> all = lines_;
  for (const auto& [reason, passed] : passed_) all.push_back("passed over, " + text(reason, passed));
  return all;
}

}  // namespace fovea
