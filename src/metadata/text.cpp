// SPDX-License-Identifier: Apache-2.0
#include "metadata/text.h"

#include <array>
#include <cstddef>

namespace fovea::metadata {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const unsigned tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::array<std::uint32_t, 4> kLead{0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kLead[tail] | code >> (6 * tail));
  for (unsigned i = tail; i-- > 0;) out += static_cast<char>(0x80U | (code >> (6 * i) & 0x3FU));
}

std::string utf8_from_latin1(std::string_view text) {
  std::string out;
  for (const char byte : text) append_utf8(out, static_cast<unsigned char>(byte));
  return out;
}

}  // namespace fovea::metadata
