// Fovea: the archive's catalogue: every photo that was looked at, what it shows, and what its metadata say. One SQLite file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "archive/file_stamp.h"
#include "archive/journal.h"
#include "core/file_lock.h"
#include "database/connection.h"
#include "fovea/archive.h"
#include "fovea/result.h"
#include "metadata/facts.h"

namespace fovea::archive {

/// How a photo was when the catalogue last learned of it.
struct KnownPhoto {
  std::int64_t id = 0;
  FileStamp photo;
  std::filesystem::path sidecar;  ///< empty: none
  FileStamp sidecar_stamp;
  std::uint64_t settings = 0;  ///< of the run that tagged it; 0: untagged
};

struct OwnKeyword {
  std::string word;  ///< one level of it
  double probability = 0.0;
};

struct CatalogEntry {
  std::filesystem::path path;
  FileStamp photo;
  std::filesystem::path sidecar;
  FileStamp sidecar_stamp;
  std::uint64_t settings = 0;
  metadata::Facts facts;  ///< keywords: those of other programs
  std::vector<Prediction> predictions;
  std::vector<OwnKeyword> keywords;
};

class Catalog {
 public:
  /// `path`, or where that is empty the user's own.
  static Result<std::filesystem::path> named(const std::filesystem::path& path);
  /// For writing, which only one process may do at a time: kUsage if another one is at it. Settles what a killed run has left.
  static Result<Catalog> open_for_writing(const std::filesystem::path& path);
  /// For questions; kNotFound if there is none.
  static Result<Catalog> open_for_reading(const std::filesystem::path& path);
  /// The same; where there is none, one of nothing, kept nowhere.
  static Result<Catalog> open_or_temporary(const std::filesystem::path& path);

  /// Everything known of photos at `path` or below it, by path.
  Result<void> known(const std::filesystem::path& path, std::unordered_map<std::string, KnownPhoto>& photos);
  Result<void> put(const CatalogEntry& entry);
  /// Other programs' keywords of a photo that itself has not changed, and the state of the sidecar that they were read from.
  Result<void> put_words(std::int64_t id, const std::vector<std::string>& words, const FileStamp& sidecar);
  /// The photo has no keywords or classes by Fovea any more, and will be looked at again.
  Result<void> forget_tags(const std::filesystem::path& photo);

  [[nodiscard]] database::Connection& database() { return *database_; }
  [[nodiscard]] Journal& journal() { return *journal_; }

 private:
  Catalog() = default;
  static Result<Catalog> open(const std::filesystem::path& path);
  Result<void> put_keyword(std::int64_t id, std::string_view word, std::optional<double> probability);

  FileLock lock_;
  std::unique_ptr<database::Connection> database_;
  std::unique_ptr<Journal> journal_;
};

/// The levels of a keyword: "Weather|Cloudy" and "Weather/Cloudy" have two.
[[nodiscard]] std::vector<std::string> levels_of(std::string_view keyword);

/// `path` as the catalogue names it: absolute, links resolved.
[[nodiscard]] std::filesystem::path catalog_path(const std::filesystem::path& path);

}  // namespace fovea::archive
