// SPDX-License-Identifier: Apache-2.0
#include "metadata/splice.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"

namespace fovea::metadata {
namespace {

constexpr std::size_t kHead = 24;

void append(std::vector<std::byte>& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

void put(std::vector<std::byte>& to, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i) & 0xFFU));
}

std::uint64_t get(Bytes bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8U | std::to_integer<std::uint64_t>(bytes[at + i]);
  return value;
}

}  // namespace

Result<std::vector<std::byte>> spliced(Bytes old, const Splices& splices) {
  std::vector<std::byte> out;
  std::size_t done = 0;
  for (const Splice& splice : splices) {
    if (splice.offset < done || splice.offset > old.size() || splice.removed > old.size() - splice.offset) {
      return fail(Error::Kind::kFormat, "a change at byte {} of {} does not fit", splice.offset, old.size());
    }
    append(out, old.subspan(done, splice.offset - done));
    append(out, splice.inserted);
    done = splice.offset + splice.removed;
  }
  append(out, old.subspan(done));
  return out;
}

Splices inverse(Bytes old, const Splices& splices) {
  Splices back;
  std::size_t grown = 0;  // modulo its range: a file may shrink as well
  for (const Splice& splice : splices) {
    back.push_back({splice.offset + grown, splice.inserted.size(), copy_of(old.subspan(splice.offset, splice.removed))});
    grown += splice.inserted.size() - splice.removed;
  }
  return back;
}

Splices difference(Bytes from, Bytes to) {
  const std::size_t shorter = std::min(from.size(), to.size());
  const auto first = static_cast<std::size_t>(
      std::mismatch(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(shorter), to.begin()).first - from.begin());
  std::size_t last = 0;
  while (last < shorter - first && from[from.size() - 1 - last] == to[to.size() - 1 - last]) ++last;
  if (from.size() == to.size() && first == shorter) return {};
  return {{first, from.size() - first - last, copy_of(to.subspan(first, to.size() - first - last))}};
}

std::vector<std::byte> serialize(const Splices& splices) {
  std::vector<std::byte> out;
  for (const Splice& splice : splices) {
    put(out, splice.offset);
    put(out, splice.removed);
    put(out, splice.inserted.size());
    append(out, splice.inserted);
  }
  return out;
}

Result<Splices> parse_splices(Bytes bytes) {
  Splices splices;
  while (!bytes.empty()) {
    if (bytes.size() < kHead) return fail(Error::Kind::kFormat, "a change cut short: {} bytes of its head", bytes.size());
    const std::uint64_t inserted = get(bytes, 16);
    if (inserted > bytes.size() - kHead) return fail(Error::Kind::kFormat, "a change cut short: {} bytes announced", inserted);
    splices.push_back({get(bytes, 0), get(bytes, 8), copy_of(bytes.subspan(kHead, inserted))});
    bytes = bytes.subspan(kHead + inserted);
  }
  return splices;
}

}  // namespace fovea::metadata
