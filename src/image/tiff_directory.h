// Fovea: directories of a TIFF structure (TIFF 6.0, section 2), which TIFF files, Exif segments and most raw photos are made of.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "image/byte_order.h"

namespace fovea {

/// Reads untrusted bytes: what lies outside of them is not there.
class TiffReader {
 public:
  struct Entry {
    std::uint16_t tag = 0;
    std::uint16_t type = 0;
    std::uint32_t count = 0;
    std::size_t at = 0;        ///< of the entry's twelve bytes
    std::size_t value_at = 0;  ///< of its values, wherever they are; they lie within the bytes
    std::size_t size = 0;      ///< of its values in bytes
  };

  /// Bytes that begin "II*\0" or "MM\0*", or with one of the marks of raw formats that differ in nothing else. An
  /// "Exif\0\0" in front is skipped; offsets count from behind it.
  static std::optional<TiffReader> open(Bytes tiff);

  /// Directories that no header stands in front of, as in the notes of camera makers: offsets count from the first byte, and only
  /// who asks knows where a directory lies.
  static TiffReader without_header(Bytes bytes, ByteOrder order) { return {bytes, order}; }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] ByteOrder order() const { return order_; }
  [[nodiscard]] std::size_t first_directory() const { return read_uint(bytes_, 4, 4, order_); }

  /// The entries of the directory at `at`, without those whose type is unknown or whose values lie outside.
  [[nodiscard]] std::vector<Entry> directory(std::size_t at) const;
  /// Where the directory that follows the one at `at` lies; 0: none.
  [[nodiscard]] std::size_t next_directory(std::size_t at) const;

  /// Value `index` of an entry of bytes, shorts or longs; 0 where there is none.
  [[nodiscard]] std::uint32_t number(const Entry& entry, std::uint32_t index = 0) const;
  /// Value `index` of an entry of rationals; nothing for a denominator of 0.
  [[nodiscard]] std::optional<double> rational(const Entry& entry, std::uint32_t index) const;
  /// The values as bytes.
  [[nodiscard]] Bytes data(const Entry& entry) const { return bytes_.subspan(entry.value_at, entry.size); }
  /// The values as text, up to the first NUL.
  [[nodiscard]] std::string_view text(const Entry& entry) const;

 private:
  TiffReader(Bytes bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

  Bytes bytes_;
  ByteOrder order_;
};

/// The entry with this tag; null if there is none.
[[nodiscard]] const TiffReader::Entry* find_tag(const std::vector<TiffReader::Entry>& entries, std::uint16_t tag);

}  // namespace fovea
