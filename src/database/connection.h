// Fovea: an SQLite database.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include "database/statement.h"
#include "fovea/result.h"

namespace fovea::database {

enum class Access : std::uint8_t {
  kCreate,    ///< read and write; made where there is none
  kReadOnly,  ///< kNotFound where there is none
};

/// One thread at a time. Errors begin with the file's path: kFormat for a file that is no database or is damaged, kIo for what
/// the system refused (a full disk, a lock that another program keeps), kUsage for SQL that makes no sense.
class Connection {
 public:
  /// `busy`: how long to wait for another program's lock. Foreign keys are enforced.
  static Result<Connection> open(const std::filesystem::path& path, Access access = Access::kCreate,
                                 std::chrono::milliseconds busy = std::chrono::seconds(5));

  /// One statement or several, without parameters and without a look at rows.
  Result<void> execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);

  /// The number that a program keeps in the file to know its own tables; 0 in a new database.
  Result<std::int64_t> version();
  Result<void> set_version(std::int64_t version);

  [[nodiscard]] std::int64_t last_row_id() const;
  /// Rows that the last INSERT, UPDATE or DELETE touched.
  [[nodiscard]] std::int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

/// All that happens until `commit`, or nothing of it.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace fovea::database
