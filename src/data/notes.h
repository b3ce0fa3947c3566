// Fovea: collects what was passed over, and tells it in a line per reason however often it happened.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "fovea/skipped_photo.h"

namespace fovea {

class Notes {
 public:
  /// `reason` says what the entry is: "not a photo".
  void add(const std::string& reason, const std::filesystem::path& path);
  /// The same for what a person has given and is not to be had: it also counts as an input that failed.
  void add_missing(const std::string& reason, const std::filesystem::path& path);
  void say(std::string line) { lines_.push_back(std::move(line)); }

  [[nodiscard]] bool anything_passed_over() const { return !passed_.empty(); }
  /// "not a photo: 3 entries, such as a/notes.txt", parts joined by "; ".
  [[nodiscard]] std::string passed_over() const;
  [[nodiscard]] const std::vector<SkippedPhoto>& missing() const { return missing_; }
  /// Everything, a line each.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  struct Passed {
    std::int64_t count = 0;
    std::filesystem::path first;
  };
  [[nodiscard]] static std::string text(const std::string& reason, const Passed& passed);

  std::map<std::string, Passed> passed_;
  std::vector<std::string> lines_;
  std::vector<SkippedPhoto> missing_;
};

}  // namespace fovea
