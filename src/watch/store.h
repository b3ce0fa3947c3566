// Fovea: the database of a watch. Every time of the schedule is a row of `slots`, or counted in a row of `gaps`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "database/connection.h"
#include "fovea/watch.h"

namespace fovea::watching {

/// What is kept of a picture besides its record.
struct Kept {
  std::int64_t photo_bytes = 0;      ///< of the file that WatchRecord::photo names
  std::vector<std::byte> thumbnail;  ///< a small JPEG for the page; empty: none
};

struct KeptPhoto {
  std::int64_t slot = 0;
  std::filesystem::path path;
  std::int64_t bytes = 0;
};

class Store {
 public:
  /// Makes the tables of a new database. kFormat for a database of another program, kUnsupported for one of a newer Fovea.
  static Result<Store> open(const std::filesystem::path& path, database::Access access = database::Access::kCreate);

  Result<void> add(const WatchRecord& record, const Kept& kept);
  Result<void> add(const WatchGap& gap);
  /// Something that people may want to know later: the clock was set, the model was read anew, ...
  Result<void> add_event(std::chrono::sys_seconds time, const std::string& text);

  Result<std::optional<std::chrono::sys_seconds>> newest();

  /// Of all photos that were kept and not removed; and the oldest of them.
  Result<std::int64_t> photo_bytes();
  Result<std::optional<KeptPhoto>> oldest_photo();
  Result<void> forget_photo(std::int64_t slot);
  /// Thumbnails of times before are for no page any more.
  Result<void> forget_thumbnails(std::chrono::sys_seconds before);

  /// Every record in the order in which they were made, without thumbnails; `visit` returning false stops.
  Result<void> each(const std::function<bool(const WatchRecord&)>& visit);

  /// For what reads: summaries and the page.
  [[nodiscard]] database::Connection& connection() { return connection_; }

 private:
  explicit Store(database::Connection connection) : connection_(std::move(connection)) {}
  Result<std::int64_t> class_number(const std::string& name);

  database::Connection connection_;
  std::map<std::string, std::int64_t> classes_;
};

}  // namespace fovea::watching
