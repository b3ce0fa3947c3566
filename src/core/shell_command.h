// Fovea: a command of the shell whose output is read, and which never outlives its owner.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "fovea/result.h"

namespace fovea {

/// Runs in a process group of its own, with nothing on its standard input. When this goes, it and all that it started are killed.
class ShellCommand {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  static Result<ShellCommand> start(const std::string& command);
  ShellCommand(ShellCommand&& other) noexcept;
  ShellCommand& operator=(ShellCommand&&) = delete;
  ~ShellCommand();

  /// Some bytes of its standard output into `block`, and how many; 0 at the end. None: nothing came by the deadline.
  Result<std::optional<std::size_t>> read(std::span<std::byte> block, Deadline deadline);
  /// Its status, as waitpid gives it, once it has ended; none by the deadline. What it left running is killed.
  std::optional<int> wait(Deadline deadline);

 private:
  ShellCommand(pid_t id, int output) : id_(id), output_(output) {}
  pid_t id_;    ///< 0: it has ended
  int output_;  ///< the pipe's reading end
};

/// "ended with status 3", "was ended by signal 9".
[[nodiscard]] std::string ending_text(int status);

}  // namespace fovea
