// SPDX-License-Identifier: Apache-2.0
#include "database/connection.h"

#include <sqlite3.h>

#include "core/error.h"
#include "database/error.h"

namespace fovea::database {

Error error_of(sqlite3* handle, int code) {
  const char* path = sqlite3_db_filename(handle, "main");
  const std::string name = path == nullptr || *path == '\0' ? "database" : path;
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
      return fail(Error::Kind::kFormat, "{}: is not an SQLite database; name another file, or move this one away", name);
    case SQLITE_CORRUPT:
      return fail(Error::Kind::kFormat, "{}: is damaged ({}); move it away, 'sqlite3 FILE .recover' may save its rows", name,
                  sqlite3_errmsg(handle));
    case SQLITE_FULL: return fail(Error::Kind::kIo, "{}: cannot be written: the disk is full", name);
    case SQLITE_BUSY: return fail(Error::Kind::kIo, "{}: another program keeps it locked", name);
    case SQLITE_READONLY: return fail(Error::Kind::kIo, "{}: cannot be written: it, or its folder, is read-only", name);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: {
      const int code_of_system = sqlite3_system_errno(handle);
      return fail(Error::Kind::kIo, "{}: {}{}", name, sqlite3_errmsg(handle),
                  code_of_system == 0 ? std::string() : ": " + errno_text(code_of_system));
    }
    default: return fail(Error::Kind::kUsage, "{}: {}", name, sqlite3_errmsg(handle));
  }
}

void Connection::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Result<Connection> Connection::open(const std::filesystem::path& path, Access access, std::chrono::milliseconds busy) {
  std::error_code error;
  if (access == Access::kReadOnly && !std::filesystem::exists(path, error)) {
    return fail(Error::Kind::kNotFound, "{}: no such database", path.string());
  }
  const int flags = access == Access::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Connection connection(handle);
  if (code != SQLITE_OK) {
    const int code_of_system = handle == nullptr ? 0 : sqlite3_system_errno(handle);
    return fail(Error::Kind::kIo, "{}: cannot open the database: {}", path.string(),
                code_of_system == 0 ? sqlite3_errstr(code) : errno_text(code_of_system));
  }
  sqlite3_busy_timeout(handle, static_cast<int>(busy.count()));
  FOVEA_TRY(connection.execute("PRAGMA foreign_keys = ON"));
  FOVEA_TRY(connection.version());  // reads the file: whether it is a database shows now
  return connection;
}

Result<void> Connection::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(handle_.get(), code);
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return error_of(handle_.get(), code);
  return Statement(statement);
}

Result<std::int64_t> Connection::version() {
  FOVEA_ASSIGN(Statement statement, prepare("PRAGMA user_version"));
  FOVEA_TRY(statement.step());
  return statement.integer(0);
}

Result<void> Connection::set_version(std::int64_t version) {
  return execute(fmt::format("PRAGMA user_version = {}", version).c_str());
}

std::int64_t Connection::last_row_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
std::int64_t Connection::changes() const { return sqlite3_changes64(handle_.get()); }

Result<Transaction> Transaction::begin(Connection& connection) {
  // Takes the write lock now: a transaction that reads first and writes later could not wait for it.
  FOVEA_TRY(connection.execute("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Result<void> Transaction::commit() {
  FOVEA_TRY(connection_->execute("COMMIT"));
  connection_ = nullptr;
  return {};
}

Transaction::~Transaction() {
  // After some errors SQLite has rolled back itself; then this fails, and nothing is left to undo.
  if (connection_ != nullptr) static_cast<void>(connection_->execute("ROLLBACK"));
}

}  // namespace fovea::database
