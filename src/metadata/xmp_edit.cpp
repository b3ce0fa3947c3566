// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "core/error.h"
#include "metadata/xmp.h"
#include "metadata/xmp_fields.h"

namespace fovea::metadata {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

std::string items(std::string_view rdf, const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += fmt::format("\n     <{0}li>{1}</{0}li>", rdf, escape_xml(word));
  return out;
}

// A property with a new array.
std::string field_text(std::string_view name, std::string_view rdf, std::string_view array,
                       const std::vector<std::string>& words) {
  return fmt::format("\n   <{0}>\n    <{1}{2}>{3}\n    </{1}{2}>\n   </{0}>", name, rdf, array, items(rdf, words));
}

// "rdf:" of "rdf:Bag": the prefix is the file's own.
std::string_view prefix_of(std::string_view written) {
  const std::size_t colon = written.find(':');
  return written.substr(0, colon == std::string_view::npos ? 0 : colon + 1);
}

class Editor {
 public:
  explicit Editor(const XmpDocument& document) : document_(document) {}

  Splices take() && {
    std::ranges::stable_sort(splices_, {}, &Splice::offset);
    return std::move(splices_);
  }

  void insert(std::size_t at, std::string_view text) { splices_.push_back({at, 0, copy_of(as_bytes(text))}); }

  /// More content at the end of an element, which is opened if it closed itself.
  void append(const XmlElement& element, std::string_view text) {
    if (element.self_closing) {
      splices_.push_back({element.end - 2, 2, copy_of(as_bytes(fmt::format(">{}</{}>", text, element.written)))});
    } else {
      insert(element.content_end, text);
    }
  }

  /// Without the blanks before it.
  void remove(std::size_t begin, std::size_t end) {
    while (begin > 0 && std::string_view(" \t\r\n").find(document_.text()[begin - 1]) != std::string_view::npos) --begin;
    splices_.push_back({begin, end - begin, {}});
  }

 private:
  const XmpDocument& document_;
  Splices splices_;
};

// Words for a field that is there already.
Result<void> extend_field(const XmpDocument& document, Editor& editor, int property, const std::vector<std::string>& words) {
  const XmlElement& element = document.elements()[static_cast<std::size_t>(property)];
  const int array = document.array_of(property);
  if (array < 0) return fail(Error::Kind::kUnsupported, "XMP: {} is not an array", element.written);
  const XmlElement& list = document.elements()[static_cast<std::size_t>(array)];
  editor.append(list, items(prefix_of(list.written), words));
  return {};
}

std::string about_of(const XmpDocument& document) {
  for (const int description : document.descriptions()) {
    const XmlElement& element = document.elements()[static_cast<std::size_t>(description)];
    for (const XmlName& name : {XmlName{kRdf, "about"}, XmlName{"", "about"}}) {
      if (const auto* const about = element.attribute(name)) return escape_xml(unescape_xml(about->raw));
    }
  }
  return {};
}

// What add_tags put in: elements, each with all that it holds.
std::set<int> own_elements(const XmpDocument& document) {
  std::set<int> own;
  for (const Field& field : kFields) {
    const auto words = document.words({kOwnSpace, field.name.local});
    const int property = document.property(field.name);
    const int array = property >= 0 ? document.array_of(property) : -1;
    if (array < 0) continue;
    const auto list = document.children(array);
    std::vector<int> found;
    for (const int item : list) {
      if (document.children(item).empty() &&
          contains(words, document.content(document.elements()[static_cast<std::size_t>(item)]))) {
        found.push_back(item);
      }
    }
    if (!list.empty() && found.size() == list.size()) {
      own.insert(property);
    } else {
      own.insert(found.begin(), found.end());
    }
  }
  for (const int description : document.descriptions()) {
    for (const int child : document.children(description)) {
      if (document.elements()[static_cast<std::size_t>(child)].name.space == kOwnSpace) own.insert(child);
    }
  }
  return own;
}

// Whether nothing but what is Fovea's makes up this rdf:Description.
bool is_wholly_own(const XmpDocument& document, int description, const std::set<int>& own) {
  const auto children = document.children(description);
  const auto& attributes = document.elements()[static_cast<std::size_t>(description)].attributes;
  return std::ranges::all_of(children, [&](int child) { return own.contains(child); }) &&
         std::ranges::all_of(attributes, [](const XmlAttribute& a) {
           return a.name.space == kOwnSpace || a.name.local == "about" || a.written.starts_with("xmlns");
         });
}

}  // namespace

Result<Splices> add_tags(std::string_view packet, const Keywords& wanted, const Keywords& carried, const TagRecord& record) {
  FOVEA_ASSIGN(const XmpDocument document, XmpDocument::parse(packet));
  Editor editor(document);
  const std::string_view rdf = prefix_of(document.root().written);
  std::string declared;
  std::string fresh;  // fields that are not there yet
  std::string own;
  for (const Field& field : kFields) {
    if (document.property_attribute(field.name) != nullptr) {
      return fail(Error::Kind::kUnsupported, "XMP: {}:{} is written as an attribute", field.prefix, field.name.local);
    }
    const auto present = document.words(field.name);
    std::vector<std::string> added;
    for (const std::string& word : carried.*field.words) {
      if (!contains(present, word)) add_word(added, word);
    }
    std::vector<std::string> of_fovea;
    for (const std::string& word : wanted.*field.words) {
      if (!contains(present, word) && !contains(added, word)) add_word(of_fovea, word);
    }
    if (!of_fovea.empty()) own += field_text(fmt::format("fovea:{}", field.name.local), rdf, "Bag", of_fovea);
    added.insert(added.end(), of_fovea.begin(), of_fovea.end());
    if (added.empty()) continue;
    const int property = document.property(field.name);
    if (property >= 0) {
      FOVEA_TRY(extend_field(document, editor, property, added));
    } else {
      declared += fmt::format("\n    xmlns:{}=\"{}\"", field.prefix, field.name.space);
      fresh += field_text(fmt::format("{}:{}", field.prefix, field.name.local), rdf, field.array, added);
    }
  }
  for (const NotedField& field : kNotedFields) {
    const auto& words = wanted.*field.words;
    if (!words.empty()) own += field_text(fmt::format("fovea:{}", field.name), rdf, "Bag", words);
  }
  editor.append(document.root(),
                fmt::format("\n  <{0}Description {0}about=\"{1}\"{2}\n    xmlns:fovea=\"{3}\"\n   fovea:model=\"{4}\"\n   "
                            "fovea:date=\"{5}\">{6}{7}{8}\n  </{0}Description>\n ",
                            rdf, about_of(document), declared, kOwnSpace, escape_xml(record.model), escape_xml(record.date),
                            fresh, own, field_text("fovea:predictions", rdf, "Seq", record.predictions)));
  return std::move(editor).take();
}

Result<Splices> remove_tags(std::string_view packet) {
  FOVEA_ASSIGN(const XmpDocument document, XmpDocument::parse(packet));
  Editor editor(document);
  std::set<int> own = own_elements(document);
  for (const int description : document.descriptions()) {
    const XmlElement& element = document.elements()[static_cast<std::size_t>(description)];
    const auto children = document.children(description);
    const auto is_own = [](const XmlAttribute& attribute) { return attribute.name.space == kOwnSpace; };
    const bool marked = std::ranges::any_of(element.attributes, is_own) ||
                        std::ranges::any_of(children, [&](int child) { return own.contains(child); });
    if (marked && is_wholly_own(document, description, own)) {
      editor.remove(element.begin, element.end);
      for (const int child : children) own.erase(child);
      continue;
    }
    for (const XmlAttribute& attribute : element.attributes) {
      if (is_own(attribute)) editor.remove(attribute.begin, attribute.end);
    }
  }
  for (const int gone : own) {
    const XmlElement& element = document.elements()[static_cast<std::size_t>(gone)];
    editor.remove(element.begin, element.end);
  }
  return std::move(editor).take();
}

std::string empty_packet() {
  return "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
         " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"w\"?>";
}

}  // namespace fovea::metadata
