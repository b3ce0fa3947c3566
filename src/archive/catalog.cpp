// SPDX-License-Identifier: Apache-2.0
#include "archive/catalog.h"

#include <chrono>

#include "core/error.h"
#include "core/user_folders.h"

namespace fovea {
namespace archive {
namespace {

namespace fs = std::filesystem;

// Version 1 had the same tables, but its programs do not expect past edits in them.
constexpr int kVersion = 2;
// A keyword's probability is that of the class that gave it; NULL: it is another program's.
constexpr const char* kSchema = R"(
CREATE TABLE photos(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, inode INTEGER NOT NULL, size INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL, sidecar TEXT NOT NULL, sidecar_inode INTEGER NOT NULL, sidecar_size INTEGER NOT NULL,
  sidecar_modified_ns INTEGER NOT NULL, settings INTEGER NOT NULL, taken TEXT NOT NULL, camera TEXT NOT NULL,
  latitude REAL, longitude REAL);
CREATE TABLE predictions(photo INTEGER NOT NULL REFERENCES photos(id) ON DELETE CASCADE, label TEXT NOT NULL COLLATE NOCASE,
  probability REAL NOT NULL, PRIMARY KEY(photo, label)) WITHOUT ROWID;
CREATE INDEX predictions_by_label ON predictions(label);
CREATE TABLE keywords(photo INTEGER NOT NULL REFERENCES photos(id) ON DELETE CASCADE, word TEXT NOT NULL COLLATE NOCASE,
  probability REAL, PRIMARY KEY(photo, word)) WITHOUT ROWID;
CREATE INDEX keywords_by_word ON keywords(word);
CREATE TABLE edits(file TEXT NOT NULL, state INTEGER NOT NULL, photo TEXT NOT NULL, original_size INTEGER NOT NULL,
  original_hash INTEGER NOT NULL, written_size INTEGER NOT NULL, written_hash INTEGER NOT NULL, inverse BLOB NOT NULL,
  PRIMARY KEY(file, state));
CREATE INDEX edits_by_photo ON edits(photo);
CREATE INDEX edits_by_content ON edits(written_hash, written_size);
)";

FileStamp stamp_at(const database::Statement& row, int column) {
  return {static_cast<std::uint64_t>(row.integer(column)), row.integer(column + 1), row.integer(column + 2)};
}

}  // namespace

// A commit that has returned survives a power cut: the way back must be on the disk before a photo is changed.
Result<Catalog> Catalog::open(const fs::path& path) {
  constexpr std::chrono::seconds kWait(20);  // for another program's transaction
  Catalog catalog;
  FOVEA_ASSIGN(auto connection, database::Connection::open(path, database::Access::kCreate, kWait));
  FOVEA_TRY(connection.execute("PRAGMA synchronous = FULL"));
  FOVEA_ASSIGN(const std::int64_t version, connection.version());
  if (version > kVersion) {
    return fail(Error::Kind::kUnsupported, "{}: a catalogue of version {}; this program reads up to version {}", path.string(),
                version, kVersion);
  }
  if (version < kVersion) {
    FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(connection));
    if (version == 0) FOVEA_TRY(connection.execute(kSchema));
    FOVEA_TRY(connection.set_version(kVersion));
    FOVEA_TRY(transaction.commit());
  }
  catalog.database_ = std::make_unique<database::Connection>(std::move(connection));
  catalog.journal_ = std::make_unique<Journal>(*catalog.database_);
  return catalog;
}

Result<Catalog> Catalog::open_for_writing(const fs::path& path) {
  const fs::path beside = path.string() + "-lock";
  std::error_code failed;
  if (beside.has_parent_path()) fs::create_directories(beside.parent_path(), failed);
  if (failed) {
    return fail(Error::Kind::kIo, "{}: cannot make the catalogue's folder: {}; another one is named with --catalog FILE",
                beside.parent_path().string(), failed.message());
  }
  FOVEA_ASSIGN(FileLock lock, FileLock::of_file(beside, FileLock::InTheEnd::kLeave));
  if (lock.locked() == Locked::kBusy) {
    return fail(Error::Kind::kUsage, "{}: another 'fovea tag' or 'untag' is at work with this catalogue; wait for it to end",
                path.string());
  }
  if (lock.locked() == Locked::kUnknown) {
    return fail(Error::Kind::kIo, "{}: cannot be locked: keep the catalogue on another file system, with --catalog",
                path.string());
  }
  FOVEA_ASSIGN(Catalog catalog, open(path));
  catalog.lock_ = std::move(lock);
  FOVEA_TRY(catalog.journal_->recover());
  return catalog;
}

// Opened for writing as well: only so can SQLite undo what a killed program has left half written in it.
Result<Catalog> Catalog::open_for_reading(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) return open(path);
  return fail(Error::Kind::kNotFound, "{}: no catalogue of photos there yet; 'fovea tag' makes it", path.string());
}

Result<fs::path> Catalog::named(const fs::path& path) { return path.empty() ? default_catalog() : path; }

Result<Catalog> Catalog::open_or_temporary(const fs::path& path) {
  auto there = open_for_reading(path);
  if (there || there.error().kind != Error::Kind::kNotFound) return there;
  return open(":memory:");
}

Result<void> Catalog::known(const fs::path& path, std::unordered_map<std::string, KnownPhoto>& photos) {
  FOVEA_ASSIGN(auto select,
               database_->prepare("SELECT path, id, inode, size, modified_ns, sidecar, sidecar_inode, sidecar_size, "
                                  "sidecar_modified_ns, settings FROM photos WHERE path = ?1 OR (path >= ?2 AND path < "
                                  "?3)"));
  const PathRange range = range_below(path);
  FOVEA_TRY(select.start(path.string(), range.first, range.behind));
  while (true) {
    FOVEA_ASSIGN(const bool row, select.step());
    if (!row) return {};
    photos[select.text(0)] = {select.integer(1), stamp_at(select, 2), select.text(5), stamp_at(select, 6),
                              static_cast<std::uint64_t>(select.integer(9))};
  }
}

Result<void> Catalog::put(const CatalogEntry& entry) {
  FOVEA_ASSIGN(auto remove, database_->prepare("DELETE FROM photos WHERE path = ?1"));
  FOVEA_TRY(remove.run(entry.path.string()));
  FOVEA_ASSIGN(auto insert, database_->prepare("INSERT INTO photos(path, inode, size, modified_ns, sidecar, sidecar_inode, "
                                               "sidecar_size, sidecar_modified_ns, settings, taken, camera, latitude, longitude) "
                                               "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"));
  const auto& place = entry.facts.place;
  FOVEA_TRY(insert.run(entry.path.string(), static_cast<std::int64_t>(entry.photo.inode), entry.photo.size,
                       entry.photo.modified_ns, entry.sidecar.string(), static_cast<std::int64_t>(entry.sidecar_stamp.inode),
                       entry.sidecar_stamp.size, entry.sidecar_stamp.modified_ns, static_cast<std::int64_t>(entry.settings),
                       entry.facts.taken, entry.facts.camera, place ? std::optional(place->latitude) : std::nullopt,
                       place ? std::optional(place->longitude) : std::nullopt));
  const std::int64_t id = database_->last_row_id();
  FOVEA_ASSIGN(auto prediction, database_->prepare("INSERT OR IGNORE INTO predictions VALUES(?1, ?2, ?3)"));
  for (const Prediction& p : entry.predictions) FOVEA_TRY(prediction.run(id, p.label, p.probability));
  for (const std::string& word : entry.facts.keywords) FOVEA_TRY(put_keyword(id, word, std::nullopt));
  for (const OwnKeyword& keyword : entry.keywords) FOVEA_TRY(put_keyword(id, keyword.word, keyword.probability));
  return {};
}

// A word that several have given is the others': it stays when Fovea's are forgotten.
Result<void> Catalog::put_keyword(std::int64_t id, std::string_view word, std::optional<double> probability) {
  FOVEA_ASSIGN(auto insert, database_->prepare("INSERT OR IGNORE INTO keywords VALUES(?1, ?2, ?3)"));
  for (const std::string& level : levels_of(word)) FOVEA_TRY(insert.run(id, level, probability));
  return {};
}

Result<void> Catalog::put_words(std::int64_t id, const std::vector<std::string>& words, const FileStamp& sidecar) {
  FOVEA_ASSIGN(auto remove, database_->prepare("DELETE FROM keywords WHERE photo = ?1 AND probability IS NULL"));
  FOVEA_TRY(remove.run(id));
  for (const std::string& word : words) FOVEA_TRY(put_keyword(id, word, std::nullopt));
  FOVEA_ASSIGN(auto update,
               database_->prepare("UPDATE photos SET sidecar_inode = ?1, sidecar_size = ?2, sidecar_modified_ns = ?3 "
                                  "WHERE id = ?4"));
  return update.run(static_cast<std::int64_t>(sidecar.inode), sidecar.size, sidecar.modified_ns, id);
}

Result<void> Catalog::forget_tags(const fs::path& photo) {
  for (const std::string_view sql :
       {"DELETE FROM predictions WHERE photo = (SELECT id FROM photos WHERE path = ?1)",
        "DELETE FROM keywords WHERE probability IS NOT NULL AND photo = (SELECT id FROM photos WHERE path = ?1)",
        "UPDATE photos SET settings = 0 WHERE path = ?1"}) {
    FOVEA_ASSIGN(auto statement, database_->prepare(sql));
    FOVEA_TRY(statement.run(photo.string()));
  }
  return {};
}

std::vector<std::string> levels_of(std::string_view keyword) {
  std::vector<std::string> levels;
  while (true) {
    const std::size_t end = keyword.find_first_of("|/");
    metadata::add_word(levels, std::string(keyword.substr(0, end)));
    if (end == std::string_view::npos) return levels;
    keyword.remove_prefix(end + 1);
  }
}

fs::path catalog_path(const fs::path& path) {
  std::error_code error;
  const fs::path full = fs::absolute(path, error);
  fs::path named = fs::weakly_canonical(full, error);  // leaves what is not there relative, if it is
  if (error) named = full;
  if (!named.has_filename() && named.has_relative_path()) named = named.parent_path();
  return named;
}

}  // namespace archive

Result<std::filesystem::path> default_catalog() {
  FOVEA_ASSIGN(const std::filesystem::path folder, user_data_folder());
  return folder / "archive.sqlite";
}

}  // namespace fovea
