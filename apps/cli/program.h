// Fovea: a program of verbs: flags, help and exit statuses, the same for each of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "verbs.h"

namespace fovea::cli {

struct Verb {
  const char* name;
  const char* summary;
  /// Null: of the companion (see companion.h), named here for the help alone.
  Run (*add)(CLI::App&);
};

/// Parses, runs the verb, and gives its exit status; what went wrong goes to standard error.
int run_program(std::span<const Verb> verbs, int argc, char** argv);

}  // namespace fovea::cli
