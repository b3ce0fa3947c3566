// Fovea: which of several ways to compute the same bits is fastest on this machine, found by timing and kept from run to run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "fovea/result.h"

namespace fovea {

/// Choices by name, in a file of the user's cache folder. **Only ways that give identical bits may be chosen between**: so no
/// answer and no training run depends on what a clock said, or on whether this file is there. May be shared by threads, and the
/// file by processes.
class Tuning {
 public:
  /// More choices than this begin anew.
  static constexpr std::size_t kMostChoices = 4096;

  /// Whether what is not known yet is found by timing, or left at the fixed choice: a job of a few milliseconds has no time for
  /// it.
  enum class Mode : std::uint8_t { kMeasure, kReadOnly };

  /// Kept in memory alone.
  Tuning() = default;
  /// Reads `file`. One that is missing, damaged or of another `machine` (a line of text) counts as empty, and is written anew.
  Tuning(std::filesystem::path file, std::string machine, Mode mode = Mode::kMeasure);

  [[nodiscard]] bool measures() const { return mode_ == Mode::kMeasure; }

  [[nodiscard]] std::optional<std::size_t> find(const std::string& name) const;
  void keep(const std::string& name, std::size_t choice);
  /// Writes the file, atomically, if anything was kept since it was read, with what others have written there meanwhile. Of two
  /// that write in the same moment one may lose what it kept, which is then timed again some day.
  Result<void> save();

 private:
  using Choices = std::map<std::string, std::size_t>;
  [[nodiscard]] Choices read() const;

  std::filesystem::path file_;
  std::string machine_;
  Mode mode_ = Mode::kMeasure;
  mutable std::mutex mutex_;
  Choices choices_;
  Choices unsaved_;  ///< of them
};

}  // namespace fovea
