// SPDX-License-Identifier: Apache-2.0
#include "console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "fovea/figures.h"
#include "json_line.h"

namespace fovea::cli {
namespace {

constexpr std::string_view kRed = "31";
constexpr std::string_view kYellow = "33";

std::size_t terminal_width() {
  constexpr std::size_t kUnknown = 80;
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUnknown;
}

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

}  // namespace

Console::Console(std::string_view verb, const OutputFlags& flags) : verb_(verb), flags_(flags) {
  const char* term = std::getenv("TERM");
  // A dumb one knows no colours and cannot write a line anew.
  terminal_ = ::isatty(STDERR_FILENO) == 1 && (term == nullptr || std::string_view(term) != "dumb");
  data_is_seen_ = ::isatty(STDOUT_FILENO) == 1;
  colour_ = terminal_ && std::getenv("NO_COLOR") == nullptr && term != nullptr;
}

void Console::print_record(std::string_view record, char end) {
  if (closed_) return;
  if (data_is_seen_) clear_progress();
  const bool written = std::fwrite(record.data(), 1, record.size(), stdout) == record.size() && std::fputc(end, stdout) != EOF;
  closed_ = !written || std::fflush(stdout) != 0;
  // A reader that has seen enough (head, less) is no error of ours, nor is an output that was closed on purpose.
  if (const int code = errno; closed_ && code != EPIPE && code != EBADF) {
    error(fmt::format("standard output: cannot write: {}; what follows is lost", std::strerror(code)));
  }
}

void Console::print_json(const nlohmann::ordered_json& object) { print(json_line(object)); }

std::string Console::paint(std::string_view text, std::string_view code) const {
  return colour_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

void Console::to_stderr(std::string_view line) {
  clear_progress();
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fputc('\n', stderr);
}

void Console::note(std::string_view text) {
  if (!flags_.quiet) to_stderr(text);
}

void Console::tell(const Choice& choice) {
  note(wrapped(fmt::format("{}: {} ({})", choice.what, choice.chosen, choice.reason), 78, 2));
}

void Console::warn(std::string_view text) { to_stderr(fmt::format("{} {}", paint("warning:", kYellow), text)); }

void Console::error(std::string_view text) {
  to_stderr(fmt::format("fovea {}: {} {}", verb_, paint("error:", kRed), in_line(std::string(text))));
}

int Console::fail(const Error& error) {
  this->error(error.message);
  return 2;
}

void Console::progress(const Progress& progress) {
  if (!terminal_ || flags_.quiet) return;
  if (progress.total == 0 && progress.done == 0) return busy(progress.stage);
  const auto now = std::chrono::steady_clock::now();
  if (progress_shown_ && progress.done < progress.total && now - last_progress_ < std::chrono::milliseconds(100)) return;
  last_progress_ = now;

  const double share = progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : 0;
  const std::string left = fmt::format("{:<9} ", progress.stage);
  std::string right = progress.total > 0 ? fmt::format(" {:>3.0f} %", 100 * share) : fmt::format(" {}", progress.done);
  right += fmt::format("  {:.0f} images/s", progress.images_per_second);
  if (progress.wait_share) right += fmt::format(", {:.0f} % waiting", 100 * *progress.wait_share);
  if (progress.seconds_left > 0.5) right += fmt::format("  {} left", duration(progress.seconds_left));
  const std::size_t used = columns(left) + columns(right) + 5;  // with the brackets, and room for the ^C that ends it
  const std::size_t width = terminal_width();
  const std::size_t bar = progress.total > 0 && width > used + 10 ? std::min<std::size_t>(width - used, 40) : 0;
  const auto full = static_cast<std::size_t>(std::lround(share * static_cast<double>(bar)));
  std::string line = left;
  if (bar > 0) line += "[" + std::string(std::min(full, bar), '#') + std::string(bar - std::min(full, bar), '.') + "]";
  show_in_place(line + right);
}

void Console::show_in_place(const std::string& line) {
  // A line that wraps could not be written anew.
  const std::size_t room = terminal_width() - 1;
  fmt::print(stderr, "\r\x1b[K{}", columns(line) > room ? fitted(line, room) : line);
  std::fflush(stderr);
  progress_shown_ = true;
}

void Console::busy(std::string_view what) {
  if (!terminal_ || flags_.quiet) return;
  show_in_place(fmt::format("{} ...", what));
}

void Console::clear_progress() {
  if (!progress_shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  progress_shown_ = false;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (column > 0 && column + 1 + columns(word) > width) {
      out += "\n" + std::string(indent, ' ');
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += columns(word);
  }
  return out;
}

std::string in_line(std::string text) {
  std::ranges::replace_if(
      text, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; }, '?');
  return text;
}

// One column per code point: near enough for class names and paths.
std::size_t columns(std::string_view text) { return static_cast<std::size_t>(std::ranges::count_if(text, starts_character)); }

std::string fitted(std::string_view text, std::size_t width, Cut cut) {
  const std::size_t has = columns(text);
  if (has <= width) return std::string(text) + std::string(width - has, ' ');
  const std::size_t kept = width > 0 ? width - 1 : 0;
  const std::size_t first = cut == Cut::kInFront ? has - kept : 0;
  std::string part;
  std::size_t at = 0;  // columns up to and with the character of this byte
  for (const char byte : text) {
    if (starts_character(byte)) ++at;
    if (at > first && at <= first + kept) part += byte;
  }
  return cut == Cut::kInFront ? "…" + part : part + "…";
}

}  // namespace fovea::cli
