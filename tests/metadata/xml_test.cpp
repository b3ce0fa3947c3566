// SPDX-License-Identifier: Apache-2.0
#include "metadata/xml.h"

#include <gtest/gtest.h>

namespace fovea::metadata {
namespace {

TEST(Xml, ElementsLieWhereTheyLie) {
  const std::string_view text = "<?x?><a:r xmlns:a='u1' xmlns='u0'><!-- <no/> --><b k=\"1\" a:k='2'>t<c/></b ></a:r>";
  const auto elements = parse_xml(text);
  ASSERT_TRUE(elements.ok()) << elements.error().message;
  ASSERT_EQ(elements->size(), 3U);
  const XmlElement& root = (*elements)[0];
  const XmlElement& b = (*elements)[1];
  const XmlElement& c = (*elements)[2];
  EXPECT_EQ(root.name, (XmlName{"u1", "r"}));
  EXPECT_EQ(b.name, (XmlName{"u0", "b"}));
  EXPECT_EQ(text.substr(b.content_begin, b.content_end - b.content_begin), "t<c/>");
  EXPECT_EQ(text.substr(b.begin, b.end - b.begin), "<b k=\"1\" a:k='2'>t<c/></b >");
  EXPECT_EQ(b.parent, 0);
  EXPECT_TRUE(c.self_closing);
  EXPECT_EQ(c.parent, 1);
  ASSERT_NE(b.attribute({"", "k"}), nullptr);  // without a prefix an attribute has no namespace
  EXPECT_EQ(b.attribute({"", "k"})->raw, "1");
  ASSERT_NE(b.attribute({"u1", "k"}), nullptr);
  EXPECT_EQ(text.substr(b.attributes[1].begin, b.attributes[1].end - b.attributes[1].begin), " a:k='2'");
}

TEST(Xml, DeclarationsEndWithTheirElement) {
  const auto elements = parse_xml("<r xmlns:p='1'><p:a xmlns:p='2'/><p:b/></r>");
  ASSERT_TRUE(elements.ok());
  EXPECT_EQ((*elements)[1].name.space, "2");
  EXPECT_EQ((*elements)[2].name.space, "1");
}

TEST(Xml, WhatIsNotWellFormedIsRefused) {
  for (const std::string_view text : {"<a>", "<a></b>", "</a>", "<a b>", "<a b=c/>", "<a b='/>", "<a", "<!-- ", "< a/>",
                                      "<a/><?x", "<!DOCTYPE a [<!ENTITY e 'x'>]><a/>"}) {
    EXPECT_FALSE(parse_xml(text).ok()) << text;
  }
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += "<a>";
  EXPECT_EQ(parse_xml(deep).error().kind, Error::Kind::kLimit);
}

TEST(Xml, TextIsEscapedAndBack) {
  const std::string text = "a<b>&\"'c \xC3\xA9";
  EXPECT_EQ(unescape_xml(escape_xml(text)), text);
  EXPECT_EQ(unescape_xml("&#65;&#xe9;&#x1F600;&unknown;&#xD800;&"), "A\xC3\xA9\xF0\x9F\x98\x80&unknown;&#xD800;&");
  EXPECT_EQ(unescape_xml("a<![CDATA[<&]]>b<!-- c -->d"), "a<&bd");
  EXPECT_EQ(escape_xml(std::string_view("\x01")), "?");
}

}  // namespace
}  // namespace fovea::metadata
