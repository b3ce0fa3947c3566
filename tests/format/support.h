// Fovea: bytes and files that format tests are made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "format/byte_cursor.h"
#include "format/weights.h"

namespace fovea::test {

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// A number as little-endian bytes.
template <class T>
std::string raw(T value) {
  std::string text(sizeof value, '\0');
  std::memcpy(text.data(), &value, sizeof value);
  return text;
}

/// That parsing `file` fails with a message of one line that names the file and holds every one of `parts`.
inline void expect_refused(std::string_view file, std::initializer_list<const char*> parts) {
  const auto parsed = parse_weights(bytes_of(file), "some.file");
  ASSERT_FALSE(parsed.ok()) << "accepted, expected a refusal";
  EXPECT_THAT(parsed.error().message, testing::StartsWith("some.file: "));
  EXPECT_THAT(parsed.error().message, testing::Not(testing::HasSubstr("\n")));
  for (const char* part : parts) EXPECT_THAT(parsed.error().message, testing::HasSubstr(part));
}

}  // namespace fovea::test
