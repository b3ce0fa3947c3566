// Fovea: what people see. Data goes to standard output, all else to standard error.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "flags.h"
#include "fovea/trainer.h"

namespace fovea::cli {

class Console {
 public:
  Console(std::string_view verb, const OutputFlags& flags);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  ~Console() { clear_progress(); }

  [[nodiscard]] bool json() const { return flags_.json; }
  [[nodiscard]] bool verbose() const { return flags_.verbose; }

  /// A line of data. After the reader has closed the pipe, nothing more is written and closed() holds.
  void print(std::string_view line) { print_record(line, '\n'); }
  void print_record(std::string_view record, char end);
  void print_json(const nlohmann::ordered_json& object);
  [[nodiscard]] bool closed() const { return closed_; }
  /// Whether a person sees the lines of data as they come; else progress tells that it goes on.
  [[nodiscard]] bool data_is_seen() const { return data_is_seen_; }

  void note(std::string_view text);  ///< not with --quiet
  void tell(const Choice& choice);   ///< "device: cpu (2 processors)", as a note
  void warn(std::string_view text);
  void error(std::string_view text);
  /// `error` for an Error; the exit status that it deserves.
  int fail(const Error& error);

  /// One line that replaces itself, on a terminal only, ten times a second at most.
  void progress(const Progress& progress);
  /// The same for what has no share to tell: "measuring ...".
  void busy(std::string_view what);
  void clear_progress();

 private:
  [[nodiscard]] std::string paint(std::string_view text, std::string_view code) const;
  void to_stderr(std::string_view line);
  void show_in_place(const std::string& line);

  std::string verb_;
  OutputFlags flags_;
  bool terminal_ = false;
  bool data_is_seen_ = false;
  bool colour_ = false;
  bool progress_shown_ = false;
  bool closed_ = false;
  std::chrono::steady_clock::time_point last_progress_;
};

/// `text` broken between words into lines of at most `width` columns; all but the first begin with `indent` blanks more.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);
/// A path, or what is said of one, as it may stand in a line for people: '?' for control characters, which could break the line
/// or paint the terminal.
[[nodiscard]] std::string in_line(std::string text);
/// Columns that `text` takes on a terminal, and `text` filled up to so many. A longer one is cut with "…": behind, or, as of
/// paths, whose ends tell them apart, in front.
[[nodiscard]] std::size_t columns(std::string_view text);
enum class Cut : std::uint8_t { kBehind, kInFront };
[[nodiscard]] std::string fitted(std::string_view text, std::size_t width, Cut cut = Cut::kBehind);

}  // namespace fovea::cli
