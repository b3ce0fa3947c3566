// SPDX-License-Identifier: Apache-2.0
#include "metadata/xmp_fields.h"

#include <algorithm>

#include "core/error.h"

namespace fovea::metadata {
namespace {

constexpr std::size_t kMaxElements = 1'000'000;

}  // namespace

Result<XmpDocument> XmpDocument::parse(std::string_view packet) {
  if (!is_utf8(packet) || packet.find('\0') != std::string_view::npos) {
    return fail(Error::Kind::kUnsupported, "XMP that is not UTF-8");
  }
  XmpDocument document;
  document.text_ = packet;
  FOVEA_ASSIGN(document.elements_, parse_xml(packet));
  const auto& elements = document.elements_;
  if (elements.size() > kMaxElements) return fail(Error::Kind::kLimit, "XMP: {} elements", elements.size());
  const auto root = std::ranges::find(elements, XmlName{kRdf, "RDF"}, &XmlElement::name);
  if (root == elements.end()) return fail(Error::Kind::kFormat, "no XMP: there is no rdf:RDF element");
  document.root_ = static_cast<std::size_t>(root - elements.begin());
  for (const int child : document.children(static_cast<int>(document.root_))) {
    if (elements[static_cast<std::size_t>(child)].name == XmlName{kRdf, "Description"}) document.descriptions_.push_back(child);
  }
  return document;
}

std::vector<int> XmpDocument::children(int parent) const {
  std::vector<int> found;
  const std::size_t end = elements_[static_cast<std::size_t>(parent)].end;
  for (auto i = static_cast<std::size_t>(parent) + 1; i < elements_.size() && elements_[i].begin < end; ++i) {
    if (elements_[i].parent == parent) found.push_back(static_cast<int>(i));
  }
  return found;
}

int XmpDocument::property(const XmlName& name) const {
  for (const int description : descriptions_) {
    for (const int child : children(description)) {
      if (elements_[static_cast<std::size_t>(child)].name == name) return child;
    }
  }
  return -1;
}

const XmlAttribute* XmpDocument::property_attribute(const XmlName& name) const {
  for (const int description : descriptions_) {
    const auto* const attribute = elements_[static_cast<std::size_t>(description)].attribute(name);
    if (attribute != nullptr) return attribute;
  }
  return nullptr;
}

std::string XmpDocument::content(const XmlElement& element) const {
  return unescape_xml(text_.substr(element.content_begin, element.content_end - element.content_begin));
}

std::string XmpDocument::simple(const XmlName& name) const {
  if (const auto* const attribute = property_attribute(name)) return unescape_xml(attribute->raw);
  const int found = property(name);
  return found >= 0 && children(found).empty() ? content(elements_[static_cast<std::size_t>(found)]) : std::string();
}

int XmpDocument::array_of(int property) const {
  const auto inside = children(property);
  if (inside.size() != 1) return -1;
  const XmlName& name = elements_[static_cast<std::size_t>(inside[0])].name;
  const bool array = name.space == kRdf && (name.local == "Bag" || name.local == "Seq" || name.local == "Alt");
  return array ? inside[0] : -1;
}

std::vector<std::string> XmpDocument::words(const XmlName& name) const {
  std::vector<std::string> found;
  const int field = property(name);
  const int array = field >= 0 ? array_of(field) : -1;
  if (array < 0) return found;
  for (const int item : children(array)) {
    if (children(item).empty()) add_word(found, content(elements_[static_cast<std::size_t>(item)]));
  }
  return found;
}

}  // namespace fovea::metadata
