// Fovea: a change of a file as the pieces that differ: all else is kept byte for byte, and every change has an exact inverse.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"

namespace fovea::metadata {

/// `removed` bytes at `offset` of the old bytes give way to `inserted`.
struct Splice {
  std::size_t offset = 0;
  std::size_t removed = 0;
  std::vector<std::byte> inserted;
};

/// In ascending order, none overlapping another.
using Splices = std::vector<Splice>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
[[nodiscard]] inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
[[nodiscard]] inline std::vector<std::byte> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// kFormat for splices that are out of order or lie outside of `old`.
Result<std::vector<std::byte>> spliced(Bytes old, const Splices& splices);

/// What leads back: spliced(spliced(old, splices), inverse(old, splices)) is `old`. `splices` must fit `old`.
[[nodiscard]] Splices inverse(Bytes old, const Splices& splices);

/// What makes `to` of `from`, as one splice: all between their common beginning and their common end.
[[nodiscard]] Splices difference(Bytes from, Bytes to);

/// As stored in the journal: for each splice offset, removed, size of inserted (each u64, little endian), inserted.
[[nodiscard]] std::vector<std::byte> serialize(const Splices& splices);
/// kFormat for bytes that serialize() has not made.
Result<Splices> parse_splices(Bytes bytes);

}  // namespace fovea::metadata
