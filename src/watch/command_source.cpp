// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/shell_command.h"
#include "watch/source.h"

namespace fovea::watching {
namespace {

using Clock = std::chrono::steady_clock;

Result<Picture> read_all(ShellCommand& command, Clock::time_point deadline, std::chrono::milliseconds limit) {
  Picture bytes;
  std::array<std::byte, 65536> block;
  while (true) {
    FOVEA_ASSIGN(const std::optional<std::size_t> got, command.read(block, deadline));
    if (!got) return fail(Error::Kind::kIo, "the camera's command gave no whole picture within {} ms", limit.count());
    if (*got == 0) return bytes;
    if (bytes.size() + *got > kMostPictureBytes) {
      return fail(Error::Kind::kLimit, "the camera's command printed more than {} bytes", kMostPictureBytes);
    }
    bytes.insert(bytes.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*got));
  }
}

class CommandSource final : public Source {
 public:
  explicit CommandSource(std::string command) : command_(std::move(command)) {}

  Result<Picture> take(std::chrono::milliseconds limit) override {
    const auto deadline = Clock::now() + limit;
    FOVEA_ASSIGN(ShellCommand command, ShellCommand::start(command_));
    FOVEA_ASSIGN(Picture picture, read_all(command, deadline, limit));
    const std::optional<int> status = command.wait(deadline);
    if (!status) return fail(Error::Kind::kIo, "the camera's command did not end within {} ms", limit.count());
    if (*status != 0) return fail(Error::Kind::kIo, "the camera's command {}", ending_text(*status));
    if (picture.empty()) return fail(Error::Kind::kIo, "the camera's command printed nothing");
    return picture;
  }

 private:
  std::string command_;
};

}  // namespace

std::unique_ptr<Source> command_source(std::string command) { return std::make_unique<CommandSource>(std::move(command)); }

}  // namespace fovea::watching
