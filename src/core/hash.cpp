// SPDX-License-Identifier: Apache-2.0
#include "core/hash.h"

#include <array>
#include <bit>
#include <cstring>

namespace fovea {
namespace {

constexpr std::array<std::uint64_t, 6> kPrime{
    0, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5};

// Little-endian, as the specification reads its input.
template <class Integer>
Integer take(Bytes& bytes) {
  static_assert(std::endian::native == std::endian::little);
  Integer value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  bytes = bytes.subspan(sizeof(value));
  return value;
}

std::uint64_t round(std::uint64_t lane, std::uint64_t input) { return std::rotl(lane + input * kPrime[2], 31) * kPrime[1]; }

// Stripes of 32 bytes on four independent lanes, then the lanes folded into one value.
std::uint64_t fold_stripes(Bytes& bytes, std::uint64_t seed) {
  std::array<std::uint64_t, 4> lanes{seed + kPrime[1] + kPrime[2], seed + kPrime[2], seed, seed - kPrime[1]};
  while (bytes.size() >= 32) {
    for (std::uint64_t& lane : lanes) lane = round(lane, take<std::uint64_t>(bytes));
  }
  std::uint64_t value = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  for (const std::uint64_t lane : lanes) value = (value ^ round(0, lane)) * kPrime[1] + kPrime[4];
  return value;
}

}  // namespace

std::uint64_t hash64(Bytes bytes, std::uint64_t seed) {
  const std::uint64_t length = bytes.size();
  std::uint64_t value = length + (length >= 32 ? fold_stripes(bytes, seed) : seed + kPrime[5]);
  while (bytes.size() >= 8) value = std::rotl(value ^ round(0, take<std::uint64_t>(bytes)), 27) * kPrime[1] + kPrime[4];
  if (bytes.size() >= 4) value = std::rotl(value ^ take<std::uint32_t>(bytes) * kPrime[1], 23) * kPrime[2] + kPrime[3];
  while (!bytes.empty()) value = std::rotl(value ^ take<std::uint8_t>(bytes) * kPrime[5], 11) * kPrime[1];
  value = (value ^ value >> 33) * kPrime[2];
  value = (value ^ value >> 29) * kPrime[3];
  return value ^ value >> 32;
}

}  // namespace fovea
