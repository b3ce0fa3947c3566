// Fovea: running a program as a user does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace fovea::test {

struct Finished {
  int status = -1;  ///< exit status; 128 + N when killed by signal N
  std::string out;
  std::string err;
};

/// Runs `arguments[0]` (a path) with the rest, `input` on its standard input, and waits for it.
Finished run_program(const std::vector<std::string>& arguments, const std::string& input = {});

/// The same for Fovea's own program: `run_fovea({"info", "photo.jpg"})`.
Finished run_fovea(std::vector<std::string> arguments, const std::string& input = {});

/// The lines of a text, without their ends.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace fovea::test
