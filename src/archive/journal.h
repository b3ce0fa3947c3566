// Fovea: what was changed in which file, and the way back. Written before a file is, so that no change is ever unknown.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "database/connection.h"
#include "fovea/result.h"
#include "metadata/splice.h"

namespace fovea::archive {

/// Bytes without the bytes: enough to recognise them.
struct ContentId {
  std::int64_t size = -1;  ///< -1: no file
  std::uint64_t hash = 0;

  static ContentId of(Bytes bytes);
  friend bool operator==(const ContentId&, const ContentId&) = default;
};

/// A file that Fovea has changed from its original bytes.
struct Edit {
  std::filesystem::path file;   ///< a photo, or a sidecar
  std::filesystem::path photo;  ///< that it is about
  ContentId original;           ///< no file: a sidecar that Fovea made
  ContentId written;            ///< no file: the edit takes a sidecar away
  metadata::Splices inverse;    ///< from `written` to `original`
};

/// Whether nothing can be told of the file: it is gone, and so is its photo. A drive may be disconnected, a share not mounted.
[[nodiscard]] bool out_of_reach(const Edit& edit);

/// Each file has at most one finished edit, from its original bytes to those that Fovea left, and at most one begun one, which
/// takes the other's place once the file has been replaced. That which it replaces is remembered, for copies. All calls may come
/// from several threads.
class Journal {
 public:
  /// `database` must outlive this.
  explicit Journal(database::Connection& database) : database_(&database) {}

  Result<void> begin(const Edit& edit);
  /// The begun edit has happened. After one whose `written` is `original` nothing is finished: the file is as it was.
  Result<void> finish(const std::filesystem::path& file);
  Result<void> abandon(const std::filesystem::path& file);
  /// Finishes or abandons a begun edit of which it is not known whether it has happened, by the bytes that are there. It stays
  /// begun while they cannot be read.
  Result<void> settle(const Edit& edit);

  Result<std::optional<Edit>> finished(const std::filesystem::path& file);
  /// An edit that left these bytes, whatever the file was called and whatever became of it: photos are moved and copied.
  Result<std::optional<Edit>> written_as(const ContentId& written);
  /// Finished edits of the photo at `path`, or of those below it.
  Result<std::vector<Edit>> finished_below(const std::filesystem::path& path);

  /// Settles what a killed run has begun, and removes what it left behind.
  Result<void> recover();

 private:
  template <class... Parameters>
  Result<std::vector<Edit>> select(std::string_view condition, const Parameters&... parameters);

  database::Connection* database_;
  std::recursive_mutex mutex_;
};

/// Paths below a folder lie between these two, bytewise.
struct PathRange {
  std::string first;
  std::string behind;
};
[[nodiscard]] PathRange range_below(const std::filesystem::path& folder);

}  // namespace fovea::archive
