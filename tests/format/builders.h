// Fovea: torch files put together byte by byte, so that tests can have them wrong in any way.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/support.h"

namespace fovea::test {

/// Pieces of a pickle (protocol 2).
namespace py {

using Items = std::vector<std::string>;

inline std::string text(std::string_view value) { return "X" + raw(static_cast<std::uint32_t>(value.size())).append(value); }
inline std::string integer(std::int64_t value) { return std::string("\x8A\x08", 2).append(raw(value)); }
inline std::string global(std::string_view module, std::string_view name) {
  return std::string("c").append(module).append("\n").append(name).append("\n");
}
inline std::string joined(std::string_view open, const Items& items, std::string_view close) {
  std::string made(open);
  for (const std::string& item : items) made += item;
  return made.append(close);
}
inline std::string tuple(const Items& items) { return joined("(", items, "t"); }
inline std::string list(const Items& items) { return joined("](", items, "e"); }
/// Keys and values in turn.
inline std::string dict(const Items& items) { return joined("}(", items, "u"); }
inline std::string call(const std::string& callable, const Items& arguments) { return callable + tuple(arguments) + "R"; }
inline std::string integers(std::initializer_list<std::int64_t> values) {
  Items items;
  for (const std::int64_t value : values) items.push_back(integer(value));
  return tuple(items);
}
inline std::string storage(std::string_view type, std::string_view key, std::int64_t count) {
  return tuple({text("storage"), global("torch", type), text(key), text("cpu"), integer(count)}) + "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset, std::initializer_list<std::int64_t> size,
                          std::initializer_list<std::int64_t> stride) {
  return call(global("torch._utils", "_rebuild_tensor_v2"), {storage, integer(offset), integers(size), integers(stride), "\x89",
                                                             call(global("collections", "OrderedDict"), {})});
}
/// A vector of floats that fills its storage.
inline std::string floats(std::string_view key, std::int64_t count) {
  return tensor(storage("FloatStorage", key, count), 0, {count}, {1});
}
/// An object of `type` with these attributes: keys and values in turn.
inline std::string object(std::string_view module, std::string_view type, const Items& attributes) {
  return global(module, type) + ")\x81" + dict(attributes) + "b";
}
inline std::string whole(const std::string& body) { return "\x80\x02" + body + "."; }

}  // namespace py

struct ZipFile {
  std::string name;
  std::string data;
};

/// What an entry of a zip archive says of itself, before it is written wrong on purpose.
struct ZipFields {
  std::string local_name, name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0, packed_size = 0, size = 0, local_offset = 0;
  std::string extra;
};

/// A zip archive; `change` may edit what the central directory says of each entry.
template <class Change>
std::string zip(const std::vector<ZipFile>& files, Change change) {
  std::string archive, directory;
  for (const ZipFile& file : files) {
    const auto size = static_cast<std::uint32_t>(file.data.size());
    const auto crc = static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(file.data.data()), file.data.size()));
    ZipFields fields{file.name, file.name, 0, 0, crc, size, size, static_cast<std::uint32_t>(archive.size()), ""};
    change(fields);
    const std::string common = raw(fields.flags) + raw(fields.method) + raw(std::uint32_t{0}) + raw(fields.crc) +
                               raw(fields.packed_size) + raw(fields.size);
    const auto length = [](const std::string& text) { return raw(static_cast<std::uint16_t>(text.size())); };
    archive += raw(std::uint32_t{0x04034B50}) + raw(std::uint16_t{20}) + common + length(fields.local_name) +
               raw(std::uint16_t{0}) + fields.local_name + file.data;
    directory += raw(std::uint32_t{0x02014B50}) + raw(std::uint32_t{0}) + common + length(fields.name) + length(fields.extra) +
                 std::string(10, '\0') + raw(fields.local_offset) + fields.name + fields.extra;
  }
  const auto count = static_cast<std::uint16_t>(files.size());
  const auto offset = static_cast<std::uint32_t>(archive.size());
  return archive + directory + raw(std::uint32_t{0x06054B50}) + raw(std::uint32_t{0}) + raw(count) + raw(count) +
         raw(static_cast<std::uint32_t>(directory.size())) + raw(offset) + raw(std::uint16_t{0});
}
inline std::string zip(const std::vector<ZipFile>& files) {
  return zip(files, [](ZipFields&) {});
}

using Storages = std::vector<std::pair<std::string, std::string>>;

/// A file as torch.save writes it, around the pickle's body.
inline std::string torch_zip(const std::string& body, const Storages& storages = {}) {
  std::vector<ZipFile> files{{"x/data.pkl", py::whole(body)}, {"x/byteorder", "little"}};
  for (const auto& [key, data] : storages) files.push_back({"x/data/" + key, data});
  return zip(files);
}
/// The same as torch wrote it before version 1.6; `count` is the number of elements it states for each storage.
inline std::string torch_legacy(const std::string& body, const Storages& storages, std::int64_t count) {
  std::string file = py::whole(std::string("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19", 12)) +
                     py::whole(py::integer(1001)) + py::whole(py::dict({py::text("little_endian"), "\x88"})) + py::whole(body);
  py::Items keys;
  for (const auto& storage : storages) keys.push_back(py::text(storage.first));
  file += py::whole(py::list(keys));
  for (const auto& storage : storages) file += raw(count) + storage.second;
  return file;
}

}  // namespace fovea::test
