// Fovea: photos that customers have named, laid out as the next training reads them: FOLDER/LABEL/TIME-corrected.jpg.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "fovea/scale.h"

namespace fovea::checkout {

/// `label` as the name of a folder. kUsage, with what to do, for one that is no sane name of a class: empty, longer than 80
/// bytes, with control characters, slashes or a leading dot, or what a folder of training data means otherwise ("train", "val",
/// ...).
Result<std::string> folder_of(std::string_view label);

/// One photo for each item, so that near-copies never come to lie on both sides of a split.
class Corrections {
 public:
  /// kIo when the folder cannot be made or read. What lies there counts for the ceiling.
  static Result<Corrections> open(const std::filesystem::path& folder, std::int64_t most_bytes);

  /// Keeps `jpeg` as a photo of choice.label, and gives its path. An earlier photo of the same item is replaced. kLimit when the
  /// ceiling is reached and no confirmed photo is left to make room; kIo when the disk does not take it.
  Result<std::filesystem::path> keep(const ScaleChoice& choice, Bytes jpeg);
  /// Confirmed answers teach little: whether another photo of that kind is wanted now, one in ten minutes.
  [[nodiscard]] bool wants_confirmed(const std::string& label, std::chrono::sys_time<std::chrono::milliseconds> time) const;
  /// A line for the choice in FOLDER.jsonl.
  Result<void> note(const ScaleChoice& choice) const;

  [[nodiscard]] std::filesystem::path log() const;
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  explicit Corrections(std::filesystem::path folder, std::int64_t most_bytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}
  Result<void> make_room(std::int64_t bytes);
  void remove(const std::filesystem::path& photo);

  std::filesystem::path folder_;
  std::int64_t most_bytes_ = 0;
  std::int64_t bytes_ = 0;
  std::map<std::filesystem::path, std::int64_t> confirmed_;  ///< path to bytes
  std::map<std::string, std::chrono::sys_time<std::chrono::milliseconds>> last_confirmed_;
  std::deque<std::pair<std::int64_t, std::filesystem::path>> lately_;  ///< by id of the item
};

}  // namespace fovea::checkout
