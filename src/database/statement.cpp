// SPDX-License-Identifier: Apache-2.0
#include "database/statement.h"

#include <sqlite3.h>

#include "core/error.h"
#include "database/error.h"

namespace fovea::database {

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Result<void> Statement::checked(int code) const {
  if (code == SQLITE_OK) return {};
  return error_of(sqlite3_db_handle(statement_.get()), code);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // says again what `step` has said
  sqlite3_clear_bindings(statement_.get());
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  const Result<void> done = checked(code == SQLITE_DONE ? SQLITE_OK : code);
  sqlite3_reset(statement_.get());  // lets go of locks
  if (!done) return done.error();
  return false;
}

Result<void> Statement::finish() {
  while (true) {
    FOVEA_ASSIGN(const bool row, step());
    if (!row) return {};
  }
}

Result<void> Statement::bind(int index, std::int64_t value) {
  return checked(sqlite3_bind_int64(statement_.get(), index, value));
}
Result<void> Statement::bind(int index, double value) { return checked(sqlite3_bind_double(statement_.get(), index, value)); }
Result<void> Statement::bind(int index, std::string_view value) {
  return checked(sqlite3_bind_text64(statement_.get(), index, value.empty() ? "" : value.data(), value.size(), SQLITE_TRANSIENT,
                                     SQLITE_UTF8));
}
Result<void> Statement::bind(int index, Bytes value) {
  if (value.empty()) return checked(sqlite3_bind_zeroblob(statement_.get(), index, 0));
  return checked(sqlite3_bind_blob64(statement_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT));
}
Result<void> Statement::bind(int index, std::nullopt_t) { return checked(sqlite3_bind_null(statement_.get(), index)); }

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::vector<std::byte> Statement::blob(int column) const {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, bytes + sqlite3_column_bytes(statement_.get(), column)};
}

}  // namespace fovea::database
