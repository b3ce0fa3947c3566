// SPDX-License-Identifier: Apache-2.0
#include "metadata/xml.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "core/error.h"
#include "metadata/text.h"

namespace fovea::metadata {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::string_view kBlank = " \t\r\n";
constexpr auto kNone = std::string_view::npos;

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
    {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}}};

struct Declaration {
  std::string_view prefix;
  std::string_view space;
  std::size_t depth;
};

std::pair<std::string_view, std::string_view> split_name(std::string_view written) {
  const std::size_t colon = written.find(':');
  if (colon == kNone) return {"", written};
  return {written.substr(0, colon), written.substr(colon + 1)};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<XmlElement>> parse() && {
    for (std::size_t at = text_.find('<'); at != kNone; at = text_.find('<', at)) {
      FOVEA_ASSIGN(at, markup(at));
    }
    if (!open_.empty()) return broken("an element that is not closed", elements_[open_.back()].begin);
    return std::move(elements_);
  }

 private:
  static Error broken(std::string_view what, std::size_t at) {
    return fail(Error::Kind::kFormat, "XML: {} at byte {}", what, at);
  }

  [[nodiscard]] bool stands(std::size_t at, std::string_view word) const { return text_.substr(at, word.size()) == word; }

  [[nodiscard]] Result<std::size_t> behind(std::string_view mark, std::size_t at) const {
    const std::size_t found = text_.find(mark, at);
    if (found == kNone) return broken("markup that does not end", at);
    return found + mark.size();
  }

  Result<std::size_t> markup(std::size_t at) {
    if (stands(at, "<?")) return behind("?>", at);
    if (stands(at, "<!--")) return behind("-->", at + 4);
    if (stands(at, "<![CDATA[")) return behind("]]>", at);
    if (stands(at, "<!")) return fail(Error::Kind::kUnsupported, "XML: a document type at byte {}", at);
    return stands(at, "</") ? close(at) : open(at);
  }

  Result<std::size_t> close(std::size_t at) {
    FOVEA_ASSIGN(const std::size_t end, behind(">", at));
    std::string_view name = text_.substr(at + 2, end - at - 3);
    name = name.substr(0, name.find_first_of(kBlank));
    if (open_.empty() || elements_[open_.back()].written != name) return broken("an end of what was not begun", at);
    elements_[open_.back()].content_end = at;
    leave(end);
    return end;
  }

  void leave(std::size_t end) {
    elements_[open_.back()].end = end;
    while (!declared_.empty() && declared_.back().depth == open_.size()) declared_.pop_back();
    open_.pop_back();
  }

  Result<std::size_t> open(std::size_t begin) {
    if (open_.size() >= kMaxDepth) return fail(Error::Kind::kLimit, "XML: more than {} levels at byte {}", kMaxDepth, begin);
    std::size_t at = text_.find_first_of(" \t\r\n/>", begin);
    if (at == kNone || at == begin + 1) return broken("a tag without a name", begin);
    XmlElement element;
    element.written = text_.substr(begin + 1, at - begin - 1);
    element.begin = begin;
    element.parent = open_.empty() ? -1 : static_cast<int>(open_.back());
    open_.push_back(elements_.size());
    while (true) {
      const std::size_t next = text_.find_first_not_of(kBlank, at);
      if (next == kNone) return broken("a tag that does not end", begin);
      if (text_[next] == '>' || stands(next, "/>")) {
        element.self_closing = text_[next] == '/';
        at = next + (element.self_closing ? 2 : 1);
        break;
      }
      FOVEA_ASSIGN(at, attribute(at, next, element));
    }
    element.name = {space_of(split_name(element.written).first), split_name(element.written).second};
    for (XmlAttribute& attribute : element.attributes) {
      const auto [prefix, local] = split_name(attribute.written);
      attribute.name = {prefix.empty() ? std::string_view() : space_of(prefix), local};
    }
    element.content_begin = element.content_end = at;
    elements_.push_back(std::move(element));
    if (elements_.back().self_closing) leave(at);
    return at;
  }

  Result<std::size_t> attribute(std::size_t begin, std::size_t at, XmlElement& element) {
    const std::size_t name_end = text_.find_first_of(" \t\r\n=<>", at);
    const std::size_t equals = name_end == kNone ? kNone : text_.find_first_not_of(kBlank, name_end);
    if (equals == kNone || text_[equals] != '=' || begin == at) return broken("an attribute without a value", at);
    const std::size_t quote = text_.find_first_not_of(kBlank, equals + 1);
    if (quote == kNone || (text_[quote] != '"' && text_[quote] != '\'')) return broken("a value without quotes", at);
    const std::size_t close = text_.find(text_[quote], quote + 1);
    if (close == kNone) return broken("a value that does not end", at);
    const std::string_view name = text_.substr(at, name_end - at);
    const std::string_view raw = text_.substr(quote + 1, close - quote - 1);
    if (name == "xmlns") declared_.push_back({"", raw, open_.size()});
    if (name.starts_with("xmlns:")) declared_.push_back({name.substr(6), raw, open_.size()});
    element.attributes.push_back({{}, name, raw, begin, close + 1});
    return close + 1;
  }

  [[nodiscard]] std::string_view space_of(std::string_view prefix) const {
    for (auto d = declared_.rbegin(); d != declared_.rend(); ++d) {
      if (d->prefix == prefix) return d->space;
    }
    return {};
  }

  std::string_view text_;
  std::vector<XmlElement> elements_;
  std::vector<std::size_t> open_;  // indices
  std::vector<Declaration> declared_;
};

// The entity at the start of `raw`: its length, and what it stands for appended; 0 if it is none.
std::size_t entity(std::string_view raw, std::string& out) {
  for (const auto& [name, letter] : kEntities) {
    if (raw.starts_with(name)) {
      out += letter;
      return name.size();
    }
  }
  if (!raw.starts_with("&#")) return 0;
  const bool hex = raw.size() > 2 && raw[2] == 'x';
  const char* const begin = raw.data() + (hex ? 3 : 2);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(begin, raw.data() + raw.size(), code, hex ? 16 : 10);
  const bool character = code > 0 && code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
  if (error != std::errc() || end == raw.data() + raw.size() || *end != ';' || !character) return 0;
  append_utf8(out, code);
  return static_cast<std::size_t>(end - raw.data()) + 1;
}

}  // namespace

const XmlAttribute* XmlElement::attribute(const XmlName& wanted) const {
  for (const XmlAttribute& candidate : attributes) {
    if (candidate.name == wanted) return &candidate;
  }
  return nullptr;
}

Result<std::vector<XmlElement>> parse_xml(std::string_view text) { return Parser(text).parse(); }

std::string unescape_xml(std::string_view raw) {
  std::string out;
  while (!raw.empty()) {
    std::size_t used = 0;
    if (raw.starts_with("<![CDATA[")) {
      const std::size_t end = raw.find("]]>");
      out += raw.substr(9, end == kNone ? kNone : end - 9);
      used = end == kNone ? raw.size() : end + 3;
    } else if (raw.starts_with("<!--")) {
      const std::size_t end = raw.find("-->", 4);
      used = end == kNone ? raw.size() : end + 3;
    } else if (raw.front() == '&') {
      used = entity(raw, out);
    }
    if (used == 0) {
      out += raw.front();
      used = 1;
    }
    raw.remove_prefix(used);
  }
  return out;
}

std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default: {
        const auto code = static_cast<unsigned char>(letter);
        out += code < 0x20 && code != '\t' && code != '\n' && code != '\r' ? '?' : letter;
      }
    }
  }
  return out;
}

}  // namespace fovea::metadata
