// Fovea: what was seen in each frame, as CSV and as JSON lines.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fovea/result.h"

namespace fovea::annotation {

struct FrameRecord {
  std::int64_t frame = 0;  ///< from 0
  double seconds = 0.0;
  bool classified = false;  ///< or the values of an earlier frame
  bool rejected = false;
  std::span<const double> raw;     ///< per class
  std::span<const double> smooth;  ///< per class
};

/// A text file that grows by a line a frame, so that a run that breaks off leaves what it had. Columns: frame, seconds, label (of
/// the smoothed values), rejected, classified, then each class raw, then each class smoothed ("clear", "clear smooth").
class Records {
 public:
  /// Empty paths: not written.
  static Result<Records> create(const std::filesystem::path& csv, const std::filesystem::path& jsonl,
                                std::vector<std::string> classes);
  Result<void> add(const FrameRecord& record);
  /// What was not written yet, and whether all was.
  Result<void> finish();

 private:
  Records(std::vector<std::string> classes) : classes_(std::move(classes)) {}
  Result<void> add_csv(const FrameRecord& record, std::size_t top);
  Result<void> add_json(const FrameRecord& record, std::size_t top);

  struct File {
    std::filesystem::path path;
    std::ofstream stream;
  };
  static Result<File> open(const std::filesystem::path& path);
  static Result<void> write(File& file, const std::string& line);

  std::vector<std::string> classes_;
  std::optional<File> csv_;
  std::optional<File> jsonl_;
};

}  // namespace fovea::annotation
