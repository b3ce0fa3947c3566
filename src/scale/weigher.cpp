// SPDX-License-Identifier: Apache-2.0
#include "scale/weigher.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace fovea::checkout {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kBetweenAttempts{2000};  // between attempts at a scale that is lost
constexpr milliseconds kPortNap{100};           // between looks at whether to end
constexpr milliseconds kSilence{5000};          // a serial scale that speaks or is asked, and says nothing, is lost
constexpr milliseconds kAskEvery{150};
constexpr std::size_t kLongestLine = 256;
// A scale that does not say whether it is stable is so when it has said the same for so long.
constexpr milliseconds kRest{400};
constexpr double kSameGrams = 1;

constexpr std::array<std::pair<int, speed_t>, 8> kBauds{{{1200, B1200},
                                                         {2400, B2400},
                                                         {4800, B4800},
                                                         {9600, B9600},
                                                         {19200, B19200},
                                                         {38400, B38400},
                                                         {57600, B57600},
                                                         {115200, B115200}}};

class Port {
 public:
  explicit Port(const std::string& path) : descriptor_(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
    if (descriptor_ < 0 && errno == EACCES) descriptor_ = ::open(path.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

/// 8 bits, no parity, nothing interpreted.
void set_line(int port, int baud) {
  termios settings{};
  if (::tcgetattr(port, &settings) != 0) return;  // no serial line: a pipe
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  for (const auto& [number, speed] : kBauds) {
    if (number == baud) ::cfsetspeed(&settings, speed);
  }
  ::tcsetattr(port, TCSANOW, &settings);
  ::tcflush(port, TCIFLUSH);
}

struct Chunk {
  std::size_t bytes = 0;
  std::string lost;  ///< why no more can be read
};

Chunk read_some(int port, std::span<char> block) {
  pollfd ready{port, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(kPortNap.count())) <= 0) return {};
  const ssize_t got = ::read(port, block.data(), block.size());
  if (got > 0) return {static_cast<std::size_t>(got), {}};
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  return {0, got == 0 ? "it was unplugged" : errno_text(errno)};
}

}  // namespace

Result<void> check_weight_options(const WeightOptions& options) {
  if (options.device.empty()) return {};
  for (const auto& [number, speed] : kBauds) {
    if (number == options.baud) return {};
  }
  return fail(Error::Kind::kUsage, "{} baud; expected 1200, 2400, 4800, 9600, 19200, 38400, 57600 or 115200", options.baud);
}

Weigher::Weigher(const WeightOptions& options) : options_(options), path_(options.device) {
  hid_ = path_.find("hidraw") != std::string::npos;
  for (const auto& [prefix, is_hid] : {std::pair{"hid:", true}, std::pair{"serial:", false}}) {
    if (!path_.starts_with(prefix)) continue;
    path_.erase(0, std::string_view(prefix).size());
    hid_ = is_hid;
    break;
  }
  thread_ = std::thread([this] { work(); });
}

Weigher::~Weigher() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  closed_changed_.notify_all();
  thread_.join();
}

bool Weigher::closing() {
  const std::lock_guard lock(mutex_);
  return closed_;
}

Weigher::News Weigher::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

void Weigher::work() {
  while (true) {
    const std::string why = listen();
    std::unique_lock lock(mutex_);
    if (closed_) return;
    if (!std::exchange(lost_, true)) news_.lost.push_back(fmt::format("scale {}: {}", path_, why));
    if (closed_changed_.wait_for(lock, kBetweenAttempts, [&] { return closed_; })) return;
  }
}

std::string Weigher::listen() {
  const Port port(path_);
  if (port.get() < 0) return errno_text(errno);
  resting_grams_.reset();
  if (hid_) return read_reports(port.get());
  set_line(port.get(), options_.baud);
  return read_lines(port.get());
}

std::string Weigher::read_lines(int port) {
  std::string line;
  std::array<char, 256> block{};
  auto heard = Clock::now();
  Clock::time_point asked{};
  while (!closing()) {
    if (!options_.ask.empty() && Clock::now() - asked >= kAskEvery) {
      asked = Clock::now();
      const std::string command = options_.ask + "\r\n";
      // A line that takes nothing shows as one that answers nothing.
      static_cast<void>(!::write(port, command.data(), command.size()));
    }
    const Chunk chunk = read_some(port, block);
    if (!chunk.lost.empty()) return chunk.lost;
    for (const char byte : std::span(block).first(chunk.bytes)) {
      if (byte != '\r' && byte != '\n') {
        if (line.size() < kLongestLine) line += byte;
        continue;
      }
      const std::string whole = std::exchange(line, {});
      const auto weight = parse_weight(whole, options_.unit);
      const bool none = !weight && says_no_weight(whole);
      if (weight) report(*weight);
      if (none) report_no_weight();
      if (weight || none) heard = Clock::now();
    }
    if (Clock::now() - heard > kSilence) return fmt::format("no weight within {} s", kSilence.count() / 1000);
  }
  return {};
}

/// Some devices report a change only, so silence says nothing.
std::string Weigher::read_reports(int port) {
  std::array<char, 64> block{};
  while (!closing()) {
    const Chunk chunk = read_some(port, block);
    if (!chunk.lost.empty()) return chunk.lost;
    if (chunk.bytes == 0) continue;
    const auto bytes = std::as_bytes(std::span(block).first(chunk.bytes));
    if (const auto weight = parse_weight_report(bytes)) {
      report(*weight);
    } else if (says_no_weight(bytes)) {
      report_no_weight();
    }
  }
  return {};
}

void Weigher::report(const WeightReport& report) {
  const auto now = Clock::now();
  if (!resting_grams_ || std::abs(*resting_grams_ - report.grams) > kSameGrams) {
    resting_grams_ = report.grams;
    resting_since_ = now;
  }
  const bool stable = report.stable.value_or(now - resting_since_ >= kRest);
  const std::lock_guard lock(mutex_);
  news_.reading = Reading{{report.grams, stable}, now};
  news_.no_weight = false;
  if (std::exchange(lost_, false)) news_.found = true;
}

void Weigher::report_no_weight() {
  resting_grams_.reset();
  const std::lock_guard lock(mutex_);
  news_.reading.reset();
  news_.no_weight = true;
  if (std::exchange(lost_, false)) news_.found = true;
}

}  // namespace fovea::checkout
