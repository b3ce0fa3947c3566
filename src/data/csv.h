// Fovea: comma-separated values (RFC 4180).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"

namespace fovea {

struct CsvRow {
  std::vector<std::string> fields;
  std::int64_t line = 0;  ///< where the row begins, from 1
};

/// Rows of `text`: quoted fields may hold commas, line ends and doubled quotes; lines end in LF or CRLF; a UTF-8 byte order
/// mark and empty lines are skipped. Rows may differ in length. kFormat with the line number for a stray or open quote, for
/// UTF-16 and for zero bytes.
Result<std::vector<CsvRow>> parse_csv(std::string_view text);

/// `text` as a field: in quotes where it has to be.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace fovea
