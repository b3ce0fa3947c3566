// Fovea: --help of the program and of every verb, within 80 columns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "program.h"

namespace fovea::cli {

/// Writes help like a page: what it is, examples, then each flag with its value (`--lr N`) and, where it has one, its default in
/// brackets. `verbs`, which must outlive it, give the summaries in the list of verbs.
[[nodiscard]] std::shared_ptr<CLI::Formatter> help_formatter(std::span<const Verb> verbs);

}  // namespace fovea::cli
