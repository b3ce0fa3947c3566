// SPDX-License-Identifier: Apache-2.0
#include "data/csv.h"

#include "core/error.h"

namespace fovea {
namespace {

// Cursor over the text; every step keeps count of lines.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return position_ == text_.size(); }

  Result<CsvRow> row() {
    CsvRow row{{}, line_};
    while (true) {
      FOVEA_ASSIGN(std::string value, next_is('"') ? quoted() : plain());
      row.fields.push_back(std::move(value));
      if (next_is(',')) {
        advance();
        continue;
      }
      if (!at_end() && !end_line()) {
        return fail(Error::Kind::kFormat, "line {}: text after a closing quote, expected a comma or the end of the line", line_);
      }
      return row;
    }
  }

 private:
  [[nodiscard]] bool next_is(char wanted) const { return !at_end() && text_[position_] == wanted; }

  char advance() {
    const char letter = text_[position_++];
    if (letter == '\n') ++line_;
    return letter;
  }

  bool end_line() {
    if (next_is('\r') && position_ + 1 < text_.size() && text_[position_ + 1] == '\n') advance();
    if (!next_is('\n')) return false;
    advance();
    return true;
  }

  Result<std::string> plain() {
    const std::size_t begin = position_;
    while (!at_end() && text_[position_] != ',' && text_[position_] != '\n') {
      if (text_[position_] == '"') {
        return fail(Error::Kind::kFormat, "line {}: a quote inside an unquoted field; quote the whole field and double the quote",
                    line_);
      }
      advance();
    }
    std::size_t end = position_;
    if (next_is('\n') && end > begin && text_[end - 1] == '\r') --end;
    if (at_end() && end > begin && text_[end - 1] == '\r') --end;
    return std::string(text_.substr(begin, end - begin));
  }

  Result<std::string> quoted() {
    const std::int64_t opened = line_;
    std::string value;
    advance();
    while (!at_end()) {
      const char letter = advance();
      if (letter != '"') {
        value += letter;
      } else if (next_is('"')) {
        value += advance();
      } else {
        return value;
      }
    }
    return fail(Error::Kind::kFormat, "line {}: a quote is opened and never closed", opened);
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") || text.find('\0') != std::string_view::npos) {
    return fail(Error::Kind::kFormat, "line 1: not UTF-8 text (UTF-16, or not text at all); save it as \"CSV UTF-8\"");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Parser parser(text);
  std::vector<CsvRow> rows;
  while (!parser.at_end()) {
    FOVEA_ASSIGN(CsvRow row, parser.row());
    if (row.fields.size() > 1 || !row.fields.front().empty()) rows.push_back(std::move(row));
  }
  return rows;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace fovea
