// Fovea: a prepared SQL statement.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fovea::database {

/// Used again and again: `start` binds its parameters ("?1", "?2", ... in order), then `step` through the rows.
///   FOVEA_TRY(find.start(label, since));
///   while (true) {
///     FOVEA_ASSIGN(const bool row, find.step());
///     if (!row) break;
///     use(find.text(0), find.real(1));
///   }
/// Must not outlive its Connection. One thread at a time.
class Statement {
 public:
  /// Begins anew with these parameters: integers, doubles, text, Bytes, or an std::optional of one of these (none: NULL).
  template <class... Parameters>
  Result<void> start(const Parameters&... parameters) {
    reset();
    int index = 0;
    Result<void> result;
    static_cast<void>(((result = bind(++index, parameters)).ok() && ...));
    return result;
  }
  /// `start`, and through all rows without a look at them: for what changes the database.
  template <class... Parameters>
  Result<void> run(const Parameters&... parameters) {
    if (auto started = start(parameters...); !started) return started;
    return finish();
  }

  /// To the next row; false when there is none.
  Result<bool> step();

  /// Columns of the row, from 0. NULL reads as 0 or empty.
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::vector<std::byte> blob(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void reset();
  Result<void> finish();
  Result<void> bind(int index, std::int64_t value);
  Result<void> bind(int index, int value) { return bind(index, std::int64_t{value}); }
  Result<void> bind(int index, bool value) { return bind(index, std::int64_t{value}); }
  Result<void> bind(int index, double value);
  Result<void> bind(int index, std::string_view value);
  Result<void> bind(int index, const std::string& value) { return bind(index, std::string_view(value)); }
  Result<void> bind(int index, const char* value) { return bind(index, std::string_view(value)); }
  Result<void> bind(int index, Bytes value);
  Result<void> bind(int index, std::nullopt_t);
  template <class T>
  Result<void> bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind(index, std::nullopt);
  }
  [[nodiscard]] Result<void> checked(int code) const;

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace fovea::database
