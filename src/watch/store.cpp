// SPDX-License-Identifier: Apache-2.0
#include "watch/store.h"

#include <algorithm>

#include "core/error.h"

namespace fovea::watching {
namespace {

using database::Access;
using database::Connection;
using database::Statement;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::int64_t kVersion = 1;

// "fovW": in the file's header, so that other databases are known from it.
constexpr std::int64_t kApplication = 0x666F7657;

// Times are seconds of UTC; `day` is the local date then and there, as days since 1970-01-01.
constexpr const char* kTables = R"sql(
CREATE TABLE classes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE slots (
  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, utc_offset INTEGER NOT NULL,
  day INTEGER NOT NULL GENERATED ALWAYS AS ((time + utc_offset - ((time + utc_offset) % 86400 + 86400) % 86400) / 86400) STORED,
  state INTEGER NOT NULL, class INTEGER REFERENCES classes, rejected INTEGER NOT NULL DEFAULT 0, sun REAL, fault TEXT,
  photo TEXT, photo_bytes INTEGER NOT NULL DEFAULT 0);
CREATE INDEX slots_by_day ON slots (day, time);
CREATE INDEX slots_by_time ON slots (time);
CREATE INDEX slots_with_photo ON slots (id, photo_bytes) WHERE photo IS NOT NULL;
CREATE TABLE probabilities (slot INTEGER NOT NULL REFERENCES slots, class INTEGER NOT NULL REFERENCES classes,
  probability REAL NOT NULL, PRIMARY KEY (slot, class)) WITHOUT ROWID;
CREATE TABLE thumbnails (slot INTEGER PRIMARY KEY REFERENCES slots, time INTEGER NOT NULL, jpeg BLOB NOT NULL);
CREATE TABLE gaps (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, slots INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, text TEXT NOT NULL);
)sql";

Result<std::int64_t> number(Connection& connection, const char* sql) {
  FOVEA_ASSIGN(Statement statement, connection.prepare(sql));
  FOVEA_TRY(statement.step());
  return statement.integer(0);
}

Result<void> make_tables(Connection& connection, const std::filesystem::path& path) {
  FOVEA_ASSIGN(const std::int64_t tables, number(connection, "SELECT count(*) FROM sqlite_master"));
  if (tables > 0) {
    return fail(Error::Kind::kFormat, "{}: is a database of another program; name a new file with --database", path.string());
  }
  FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(connection));
  FOVEA_TRY(connection.execute(kTables));
  FOVEA_TRY(connection.execute(fmt::format("PRAGMA application_id = {}", kApplication).c_str()));
  FOVEA_TRY(connection.set_version(kVersion));
  return transaction.commit();
}

std::int64_t count_of(sys_seconds time) { return time.time_since_epoch().count(); }

template <class T>
std::optional<T> unless(bool absent, T value) {
  return absent ? std::nullopt : std::optional<T>(std::move(value));
}

}  // namespace

Result<Store> Store::open(const std::filesystem::path& path, Access access) {
  FOVEA_ASSIGN(Connection connection, Connection::open(path, access));
  if (access == Access::kCreate) FOVEA_TRY(connection.execute("PRAGMA journal_mode = WAL"));
  // Months on a small machine: half a MiB of pages instead of two.
  FOVEA_TRY(connection.execute("PRAGMA cache_size = -512"));
  FOVEA_ASSIGN(const std::int64_t application, number(connection, "PRAGMA application_id"));
  FOVEA_ASSIGN(const std::int64_t version, connection.version());
  if (application != kApplication) {
    if (access == Access::kReadOnly) {
      return fail(Error::Kind::kFormat, "{}: is no database of 'fovea watch'", path.string());
    }
    FOVEA_TRY(make_tables(connection, path));
  } else if (version > kVersion) {
    return fail(Error::Kind::kUnsupported, "{}: is of version {}, this program knows up to {}; it was written by a newer Fovea",
                path.string(), version, kVersion);
  }
  return Store(std::move(connection));
}

Result<std::int64_t> Store::class_number(const std::string& name) {
  const auto known = classes_.find(name);
  if (known != classes_.end()) return known->second;
  FOVEA_ASSIGN(Statement insert, connection_.prepare("INSERT INTO classes (name) VALUES (?1) ON CONFLICT DO NOTHING"));
  FOVEA_TRY(insert.run(name));
  FOVEA_ASSIGN(Statement select, connection_.prepare("SELECT id FROM classes WHERE name = ?1"));
  FOVEA_TRY(select.start(name));
  FOVEA_TRY(select.step());
  return select.integer(0);
}

Result<void> Store::add(const WatchRecord& record, const Kept& kept) {
  FOVEA_ASSIGN(database::Transaction transaction, database::Transaction::begin(connection_));
  std::map<std::string, std::int64_t> numbers;
  for (const Prediction& p : record.predictions) {
    FOVEA_ASSIGN(numbers[p.label], class_number(p.label));
  }
  FOVEA_ASSIGN(Statement insert,
               connection_.prepare("INSERT INTO slots (time, utc_offset, state, class, rejected, sun, fault, photo, photo_bytes) "
                                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
  const bool classified = !record.predictions.empty();
  FOVEA_TRY(insert.run(count_of(record.time), record.utc_offset.count(), static_cast<int>(record.state),
                       unless(!classified, classified ? numbers[record.predictions.front().label] : 0), record.rejected,
                       record.sun, unless(record.fault.empty(), record.fault),
                       unless(record.photo.empty(), record.photo.string()), kept.photo_bytes));
  const std::int64_t slot = connection_.last_row_id();
  FOVEA_ASSIGN(Statement probability, connection_.prepare("INSERT INTO probabilities VALUES (?1, ?2, ?3)"));
  for (const Prediction& p : record.predictions) FOVEA_TRY(probability.run(slot, numbers[p.label], p.probability));
  if (!kept.thumbnail.empty()) {
    FOVEA_ASSIGN(Statement thumbnail, connection_.prepare("INSERT INTO thumbnails VALUES (?1, ?2, ?3)"));
    FOVEA_TRY(thumbnail.run(slot, count_of(record.time), Bytes(kept.thumbnail)));
  }
  FOVEA_TRY(transaction.commit());
  classes_.merge(numbers);  // known for good only now
  return {};
}

Result<void> Store::add(const WatchGap& gap) {
  FOVEA_ASSIGN(Statement insert, connection_.prepare("INSERT INTO gaps (first, last, slots, reason) VALUES (?1, ?2, ?3, ?4)"));
  return insert.run(count_of(gap.first), count_of(gap.last), gap.slots, gap.reason);
}

Result<void> Store::add_event(sys_seconds time, const std::string& text) {
  FOVEA_ASSIGN(Statement insert, connection_.prepare("INSERT INTO events (time, text) VALUES (?1, ?2)"));
  return insert.run(count_of(time), text);
}

Result<std::optional<sys_seconds>> Store::newest() {
  // A gap is told before the time after it is recorded: the last row of either kind is where an earlier run ended.
  FOVEA_ASSIGN(Statement select,
               connection_.prepare("SELECT max(time) FROM (SELECT time FROM slots WHERE id = (SELECT max(id) FROM slots) "
                                   "UNION ALL SELECT last FROM gaps WHERE id = (SELECT max(id) FROM gaps))"));
  FOVEA_TRY(select.step());
  return unless(select.is_null(0), sys_seconds(seconds(select.integer(0))));
}

Result<std::int64_t> Store::photo_bytes() {
  return number(connection_, "SELECT coalesce(sum(photo_bytes), 0) FROM slots WHERE photo IS NOT NULL");
}

Result<std::optional<KeptPhoto>> Store::oldest_photo() {
  FOVEA_ASSIGN(Statement select,
               connection_.prepare("SELECT id, photo, photo_bytes FROM slots WHERE photo IS NOT NULL ORDER BY id LIMIT 1"));
  FOVEA_ASSIGN(const bool found, select.step());
  return unless(!found, KeptPhoto{select.integer(0), select.text(1), select.integer(2)});
}

Result<void> Store::forget_photo(std::int64_t slot) {
  FOVEA_ASSIGN(Statement update, connection_.prepare("UPDATE slots SET photo = NULL WHERE id = ?1"));
  return update.run(slot);
}

Result<void> Store::forget_thumbnails(sys_seconds before) {
  FOVEA_ASSIGN(Statement remove, connection_.prepare("DELETE FROM thumbnails WHERE time < ?1"));
  return remove.run(count_of(before));
}

Result<void> Store::each(const std::function<bool(const WatchRecord&)>& visit) {
  FOVEA_ASSIGN(Statement slots,
               connection_.prepare("SELECT id, time, utc_offset, state, rejected, sun, fault, photo FROM slots ORDER BY id"));
  FOVEA_ASSIGN(Statement classes, connection_.prepare("SELECT c.name, p.probability FROM probabilities p JOIN classes c "
                                                      "ON c.id = p.class WHERE p.slot = ?1 ORDER BY p.probability DESC, c.id"));
  while (true) {
    FOVEA_ASSIGN(const bool row, slots.step());
    if (!row) return {};
    WatchRecord record;
    record.time = sys_seconds(seconds(slots.integer(1)));
    record.utc_offset = seconds(slots.integer(2));
    record.state = static_cast<SlotState>(std::clamp<std::int64_t>(slots.integer(3), 0, static_cast<int>(SlotState::kFault)));
    record.rejected = slots.integer(4) != 0;
    record.sun = unless(slots.is_null(5), slots.real(5));
    record.fault = slots.text(6);
    record.photo = slots.text(7);
    FOVEA_TRY(classes.start(slots.integer(0)));
    while (true) {
      FOVEA_ASSIGN(const bool next, classes.step());
      if (!next) break;
      record.predictions.push_back({classes.text(0), classes.real(1)});
    }
    if (!visit(record)) return {};
  }
}

}  // namespace fovea::watching
