// SPDX-License-Identifier: Apache-2.0
#include "archive/journal.h"

#include <unistd.h>

#include "archive/file_stamp.h"
#include "archive/replace.h"
#include "core/error.h"
#include "core/hash.h"

namespace fovea::archive {

// In the table `edits`, state 0 is begun, 1 finished and 2 past: another has taken its place, but copies of the file may still be
// as it left them.

namespace {

Result<Edit> edit_of(const database::Statement& row) {
  Edit edit{row.text(0),
            row.text(1),
            {row.integer(2), static_cast<std::uint64_t>(row.integer(3))},
            {row.integer(4), static_cast<std::uint64_t>(row.integer(5))},
            {}};
  FOVEA_ASSIGN(edit.inverse, metadata::parse_splices(row.blob(6)));
  return edit;
}

// What lies there now, if that can be told.
std::optional<ContentId> content_of(const Edit& edit) {
  if (out_of_reach(edit)) return std::nullopt;
  if (!stamp_of(edit.file)) return ContentId{};
  const auto bytes = read_file(edit.file, kMostFileBytes);
  return bytes ? std::optional(ContentId::of(*bytes)) : std::nullopt;
}

}  // namespace

bool out_of_reach(const Edit& edit) { return !stamp_of(edit.file) && !stamp_of(edit.photo); }

ContentId ContentId::of(Bytes bytes) { return {static_cast<std::int64_t>(bytes.size()), hash64(bytes)}; }

PathRange range_below(const std::filesystem::path& folder) {
  std::string first = folder.string();
  if (first.empty() || first.back() != '/') first += '/';
  std::string behind = first;
  ++behind.back();  // '0' follows '/'
  return {first, behind};
}

Result<void> Journal::begin(const Edit& edit) {
  const std::lock_guard lock(mutex_);
  FOVEA_ASSIGN(database::Statement insert,
               database_->prepare("INSERT OR REPLACE INTO edits(file, state, photo, original_size, original_hash, written_size, "
                                  "written_hash, inverse) VALUES(?1, 0, ?2, ?3, ?4, ?5, ?6, ?7)"));
  const auto inverse = metadata::serialize(edit.inverse);
  return insert.run(edit.file.string(), edit.photo.string(), edit.original.size, static_cast<std::int64_t>(edit.original.hash),
                    edit.written.size, static_cast<std::int64_t>(edit.written.hash), Bytes(inverse));
}

Result<void> Journal::finish(const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  for (const std::string_view sql :
       {"UPDATE OR REPLACE edits SET state = 2 WHERE file = ?1 AND state = 1 AND "
        "EXISTS(SELECT 1 FROM edits WHERE file = ?1 AND state = 0)",
        "UPDATE edits SET state = 1 WHERE file = ?1 AND state = 0",
        "DELETE FROM edits WHERE file = ?1 AND state = 1 AND original_size = written_size AND original_hash = written_hash"}) {
    FOVEA_ASSIGN(database::Statement statement, database_->prepare(sql));
    FOVEA_TRY(statement.run(file.string()));
  }
  return {};
}

Result<void> Journal::abandon(const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  FOVEA_ASSIGN(database::Statement statement, database_->prepare("DELETE FROM edits WHERE file = ?1 AND state = 0"));
  return statement.run(file.string());
}

Result<void> Journal::settle(const Edit& edit) {
  const auto now = content_of(edit);
  if (!now) return {};
  return *now == edit.written ? finish(edit.file) : abandon(edit.file);
}

template <class... Parameters>
Result<std::vector<Edit>> Journal::select(std::string_view condition, const Parameters&... parameters) {
  const std::lock_guard lock(mutex_);
  FOVEA_ASSIGN(
      database::Statement statement,
      database_->prepare(fmt::format("SELECT file, photo, original_size, original_hash, written_size, written_hash, inverse "
                                     "FROM edits WHERE {} ORDER BY file",
                                     condition)));
  FOVEA_TRY(statement.start(parameters...));
  std::vector<Edit> edits;
  while (true) {
    FOVEA_ASSIGN(const bool row, statement.step());
    if (!row) return edits;
    FOVEA_ASSIGN(Edit edit, edit_of(statement));
    edits.push_back(std::move(edit));
  }
}

Result<std::optional<Edit>> Journal::finished(const std::filesystem::path& file) {
  FOVEA_ASSIGN(auto edits, select("state = 1 AND file = ?1", file.string()));
  return edits.empty() ? std::optional<Edit>() : std::optional(std::move(edits.front()));
}

Result<std::optional<Edit>> Journal::written_as(const ContentId& written) {
  FOVEA_ASSIGN(auto edits, select("state >= 1 AND written_size = ?1 AND written_hash = ?2", written.size,
                                  static_cast<std::int64_t>(written.hash)));
  return edits.empty() ? std::optional<Edit>() : std::optional(std::move(edits.front()));
}

Result<std::vector<Edit>> Journal::finished_below(const std::filesystem::path& path) {
  const PathRange range = range_below(path);
  return select("state = 1 AND (photo = ?1 OR (photo >= ?2 AND photo < ?3))", path.string(), range.first, range.behind);
}

Result<void> Journal::recover() {
  const std::lock_guard lock(mutex_);
  FOVEA_ASSIGN(const auto begun, select("state = 0"));
  if (begun.empty()) return {};
  FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(*database_));
  for (const Edit& edit : begun) {
    ::unlink(temporary_name(edit.file).c_str());
    FOVEA_TRY(settle(edit));
  }
  return transaction.commit();
}

}  // namespace fovea::archive
