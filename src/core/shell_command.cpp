// SPDX-License-Identifier: Apache-2.0
#include "core/shell_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

#include "core/error.h"

extern char** environ;

namespace fovea {
namespace {

using Clock = std::chrono::steady_clock;

Result<pid_t> spawn_shell(const std::string& command, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_setpgroup(&attributes, 0);
  // The program may ignore signals (SIGPIPE); its children need not know.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::string text = command;
  std::string shell = "sh";
  std::string flag = "-c";
  std::array<char*, 4> arguments = {shell.data(), flag.data(), text.data(), nullptr};
  pid_t id = 0;
  const int code = posix_spawn(&id, "/bin/sh", &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return fail(Error::Kind::kIo, "cannot start sh: {}", errno_text(code));
  return id;
}

}  // namespace

Result<ShellCommand> ShellCommand::start(const std::string& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Error::Kind::kIo, "cannot make a pipe: {}", errno_text(errno));
  const Result<pid_t> id = spawn_shell(command, ends[1]);
  ::close(ends[1]);
  if (!id) {
    ::close(ends[0]);
    return id.error();
  }
  return ShellCommand(*id, ends[0]);
}

ShellCommand::ShellCommand(ShellCommand&& other) noexcept
    : id_(std::exchange(other.id_, 0)), output_(std::exchange(other.output_, -1)) {}

ShellCommand::~ShellCommand() {
  if (output_ >= 0) ::close(output_);
  if (id_ <= 0) return;
  ::kill(-id_, SIGKILL);
  while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<std::optional<std::size_t>> ShellCommand::read(std::span<std::byte> block, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd ready{output_, POLLIN, 0};
    const int count = left.count() > 0 ? ::poll(&ready, 1, static_cast<int>(left.count())) : 0;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::optional<std::size_t>();
    const ssize_t got = ::read(output_, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::Kind::kIo, "cannot read what the command prints: {}", errno_text(errno));
    return std::optional(static_cast<std::size_t>(got));
  }
}

std::optional<int> ShellCommand::wait(Deadline deadline) {
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(id_, &status, WNOHANG);
    if (ended == id_) {
      ::kill(-id_, SIGKILL);  // what it left running
      id_ = 0;
      return status;
    }
    if (Clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::string ending_text(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

}  // namespace fovea
