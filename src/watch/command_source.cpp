// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "watch/source.h"

extern char** environ;

namespace fovea::watching {
namespace {

using Clock = std::chrono::steady_clock;

/// A pipe's reading end.
class Pipe {
 public:
  explicit Pipe(int descriptor) : descriptor_(descriptor) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() { close(); }
  [[nodiscard]] int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

/// A program in a process group of its own, which is killed and waited for at the latest when this goes.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (id_ <= 0) return;
    ::kill(-id_, SIGKILL);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  /// Its status once it has ended; none by the deadline.
  std::optional<int> wait(Clock::time_point deadline) {
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

 private:
  pid_t id_;
};

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

Result<Picture> read_all(const Pipe& pipe, Clock::time_point deadline, std::chrono::milliseconds limit) {
  Picture bytes;
  std::array<std::byte, 65536> block;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd ready{pipe.get(), POLLIN, 0};
    const int count = left.count() > 0 ? ::poll(&ready, 1, static_cast<int>(left.count())) : 0;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(Error::Kind::kIo, "the camera's command gave no whole picture within {} ms", limit.count());
    const ssize_t got = ::read(pipe.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::Kind::kIo, "cannot read from the camera's command: {}", errno_text(errno));
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(got) > kMostPictureBytes) {
      return fail(Error::Kind::kLimit, "the camera's command printed more than {} bytes", kMostPictureBytes);
    }
    bytes.insert(bytes.end(), block.begin(), block.begin() + got);
  }
}

class CommandSource final : public Source {
 public:
  explicit CommandSource(std::string command) : command_(std::move(command)) {}

  Result<Picture> take(std::chrono::milliseconds limit) override {
    const auto deadline = Clock::now() + limit;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Error::Kind::kIo, "cannot make a pipe: {}", errno_text(errno));
    const Pipe pipe(ends[0]);
    Pipe writing(ends[1]);
    FOVEA_ASSIGN(const pid_t id, spawn_shell(command_, ends[1]));
    Child child(id);
    writing.close();
    FOVEA_ASSIGN(Picture picture, read_all(pipe, deadline, limit));
    const std::optional<int> status = child.wait(deadline);
    if (!status) return fail(Error::Kind::kIo, "the camera's command did not end within {} ms", limit.count());
    if (WIFSIGNALED(*status)) return fail(Error::Kind::kIo, "the camera's command was ended by signal {}", WTERMSIG(*status));
    if (WEXITSTATUS(*status) != 0) {
      return fail(Error::Kind::kIo, "the camera's command ended with status {}", WEXITSTATUS(*status));
    }
    if (picture.empty()) return fail(Error::Kind::kIo, "the camera's command printed nothing");
    return picture;
  }

 private:
  std::string command_;
};

}  // namespace

std::unique_ptr<Source> command_source(std::string command) { return std::make_unique<CommandSource>(std::move(command)); }

}  // namespace fovea::watching
