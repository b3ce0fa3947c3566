// Fovea: what is said to who mistypes a command.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "program.h"

namespace fovea::cli {

/// Tells on standard error that there is no verb `word`, and which one is near. Gives the exit status.
int complain_of_verb(std::span<const Verb> verbs, std::string_view word);

/// Tells on standard error what was wrong with the words behind the program's name: first of all flags that do not exist, because
/// one of those leaves other words in the wrong places. Gives the exit status.
int complain(const CLI::App& app, const CLI::ParseError& error);

}  // namespace fovea::cli
