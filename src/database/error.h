// Fovea: SQLite's result codes as errors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fovea/result.h"

struct sqlite3;

namespace fovea::database {

/// What `handle` says about `code`, which is none of SQLITE_OK, SQLITE_ROW, SQLITE_DONE.
[[nodiscard]] Error error_of(sqlite3* handle, int code);

}  // namespace fovea::database
