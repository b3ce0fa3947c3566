// Fovea: where the elements of an XML text lie, so that it can be changed without touching anything else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"

namespace fovea::metadata {

struct XmlName {
  std::string_view space;  ///< namespace URI, by the declarations in force; empty: none
  std::string_view local;
  friend bool operator==(const XmlName&, const XmlName&) = default;
};

struct XmlAttribute {
  XmlName name;
  std::string_view written;  ///< with its prefix: "rdf:about", "xmlns:dc"
  std::string_view raw;      ///< between the quotes, as written
  std::size_t begin = 0;     ///< from the blank before it
  std::size_t end = 0;       ///< to behind its closing quote
};

/// Offsets into the text: `<begin ...>content_begin ... </content_end ...>end`. A self-closing element has no content: both of
/// its ends are `end`.
struct XmlElement {
  XmlName name;
  std::string_view written;  ///< with its prefix: "rdf:li"
  std::size_t begin = 0;
  std::size_t content_begin = 0;
  std::size_t content_end = 0;
  std::size_t end = 0;
  bool self_closing = false;
  int parent = -1;  ///< index; -1: outermost
  std::vector<XmlAttribute> attributes;

  [[nodiscard]] const XmlAttribute* attribute(const XmlName& wanted) const;
};

/// In the order of their beginnings, parents before children. Views into `text`. kFormat for text that is not well-formed in what
/// matters here, kLimit for more than 64 levels, kUnsupported for a document type (whose entities could change any text).
Result<std::vector<XmlElement>> parse_xml(std::string_view text);

/// Text with the five predefined and the numeric entities resolved; CDATA sections and comments as what they stand for.
[[nodiscard]] std::string unescape_xml(std::string_view raw);
/// For element content and attributes in either kind of quotes; control characters that XML cannot hold become "?".
[[nodiscard]] std::string escape_xml(std::string_view text);

}  // namespace fovea::metadata
