// Fovea: the parts of an XMP packet that reading and changing it have in common.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"
#include "metadata/xml.h"
#include "metadata/xmp.h"

namespace fovea::metadata {

inline constexpr std::string_view kRdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// Of the record that Fovea keeps beside its keywords.
inline constexpr std::string_view kOwnSpace = "urn:fovea:tags:1#";

/// An array of words. Those of them that are Fovea's are repeated under the same name in Fovea's namespace.
struct Field {
  XmlName name;
  std::string_view prefix;
  std::string_view array;  ///< "Bag" or "Seq"
  std::vector<std::string> Keywords::*words;
};
inline constexpr std::array<Field, 3> kFields{{
    {{"http://purl.org/dc/elements/1.1/", "subject"}, "dc", "Bag", &Keywords::subject},
    {{"http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject"}, "lr", "Bag", &Keywords::hierarchical},
    {{"http://www.digikam.org/ns/1.0/", "TagsList"}, "digiKam", "Seq", &Keywords::tags_list},
}};

/// Words that Fovea added outside of the packet: noted in its namespace alone.
struct NotedField {
  std::string_view name;
  std::vector<std::string> Keywords::*words;
};
inline constexpr std::array<NotedField, 2> kNotedFields{{{"iptcKeywords", &Keywords::iptc}, {"xpKeywords", &Keywords::xp}}};

/// A packet's elements, looked up as RDF.
class XmpDocument {
 public:
  static Result<XmpDocument> parse(std::string_view packet);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] const std::vector<XmlElement>& elements() const { return elements_; }
  [[nodiscard]] const XmlElement& root() const { return elements_[root_]; }  ///< rdf:RDF
  /// Indices of the rdf:Description elements directly below the root, whose children and attributes are the properties.
  [[nodiscard]] const std::vector<int>& descriptions() const { return descriptions_; }
  [[nodiscard]] std::vector<int> children(int parent) const;
  /// The property element of this name; -1 if there is none.
  [[nodiscard]] int property(const XmlName& name) const;
  /// The attribute that holds a simple property; null if there is none.
  [[nodiscard]] const XmlAttribute* property_attribute(const XmlName& name) const;
  /// A simple property's text, however it is written; empty if there is none.
  [[nodiscard]] std::string simple(const XmlName& name) const;
  /// The array inside a property element; -1 if it has another form.
  [[nodiscard]] int array_of(int property) const;
  /// Text of a property's array, in its order.
  [[nodiscard]] std::vector<std::string> words(const XmlName& name) const;
  [[nodiscard]] std::string content(const XmlElement& element) const;

 private:
  std::string_view text_;
  std::vector<XmlElement> elements_;
  std::size_t root_ = 0;
  std::vector<int> descriptions_;
};

}  // namespace fovea::metadata
