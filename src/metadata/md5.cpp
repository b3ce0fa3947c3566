// SPDX-License-Identifier: Apache-2.0
#include "metadata/md5.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "image/byte_order.h"

namespace fovea::metadata {
namespace {

using State = std::array<std::uint32_t, 4>;

constexpr std::size_t kBlock = 64;
constexpr std::size_t kLengthSize = 8;  // of the message in bits, at the end of the last block

// The whole part of 2^32 times |sin(i + 1)|.
std::array<std::uint32_t, 64> make_table() {
  std::array<std::uint32_t, 64> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::uint32_t>(4294967296.0 * std::abs(std::sin(static_cast<double>(i + 1))));
  }
  return values;
}

void add_block(State& state, Bytes block) {
  static const std::array<std::uint32_t, 64> table = make_table();
  constexpr std::array<std::array<int, 4>, 4> kTurns{{{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::size_t round = i / 16;
    std::uint32_t mixed = 0;
    std::size_t word = 0;
    switch (round) {
      case 0: mixed = (b & c) | (~b & d), word = i; break;
      case 1: mixed = (d & b) | (~d & c), word = 5 * i + 1; break;
      case 2: mixed = b ^ c ^ d, word = 3 * i + 5; break;
      default: mixed = c ^ (b | ~d), word = 7 * i; break;
    }
    const std::uint32_t sum = a + mixed + table[i] + read_uint(block, 4 * (word % 16), 4, ByteOrder::kLittle);
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kTurns[round][i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

std::array<std::byte, 16> md5(Bytes bytes) {
  std::vector<std::byte> padded(bytes.begin(), bytes.end());
  padded.push_back(std::byte{0x80});
  while (padded.size() % kBlock != kBlock - kLengthSize) padded.push_back({});
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (std::size_t i = 0; i < kLengthSize; ++i) padded.push_back(static_cast<std::byte>(bits >> (8 * i) & 0xFFU));
  State state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476};
  for (std::size_t at = 0; at < padded.size(); at += kBlock) add_block(state, Bytes(padded).subspan(at, kBlock));
  std::array<std::byte, 16> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::byte>(state[i / 4] >> (8 * (i % 4)) & 0xFFU);
  return digest;
}

}  // namespace fovea::metadata
