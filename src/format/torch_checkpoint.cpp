// SPDX-License-Identifier: Apache-2.0
#include "format/torch_checkpoint.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "format/byte_cursor.h"
#include "format/pickle.h"
#include "format/pickle_lookup.h"
#include "format/torch_module.h"
#include "format/torch_tensor.h"
#include "format/zip.h"

namespace fovea {
namespace {

// The first pickle of a legacy file: the number 0x1950a86a20f9469cfc6c.
constexpr std::array<std::uint8_t, 10> kMagic{0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19};
constexpr std::int64_t kLegacyProtocol = 1001;
// Views of one storage may be copied, but a file must not swell beyond what it holds; small files get some room.
constexpr std::size_t kCopyAllowance = std::size_t{1} << 20;

bool holds_tensors(const PickleDict& dict) {
  return std::ranges::any_of(dict.entries, [](const auto& entry) { return is_torch_tensor(*entry.second); });
}

// A network, or a dictionary of tensors by name.
bool holds_weights(const PickleValue& value) {
  const auto* dict = value.as<PickleDict>();
  return module_attributes(value) != nullptr || (dict != nullptr && holds_tensors(*dict));
}

Result<const PickleValue*> find_weights(const PickleValue& root) {
  if (const auto* dict = root.as<PickleDict>()) {
    for (const char* field : {"ema", "state_dict", "model_state_dict", "model"}) {
      const PickleRef value = find_key(*dict, field);
      if (value != nullptr && holds_weights(*value)) return value;
    }
  }
  if (holds_weights(root)) return &root;
  return fail(Error::Kind::kFormat, "{}, expected a state dictionary, a dictionary with one, or a network", kind_of(root));
}

Result<WeightContents> collect(const Pickle& pickle, TorchStorageSource source, std::size_t file_size) {
  FOVEA_ASSIGN(const PickleValue* weights, find_weights(pickle.root()));
  TorchTensors tensors(std::move(source), file_size + kCopyAllowance);
  TorchFacts facts;
  if (const auto* dict = weights->as<PickleDict>()) {
    for (const auto& [name, value] : dict->entries) {
      const auto* text = name->as<PickleText>();
      if (is_torch_tensor(*value) && text == nullptr) return fail(Error::Kind::kFormat, "a tensor named by {}", kind_of(*name));
      if (is_torch_tensor(*value)) FOVEA_TRY(tensors.add(std::string(text->text), *value));
    }
  } else {
    FOVEA_ASSIGN(TorchModule module, take_module_apart(*weights));
    for (const auto& [name, value] : module.tensors) FOVEA_TRY(tensors.add(name, *value));
    FOVEA_ASSIGN(facts, read_module_facts(*weights, pickle.root().as<PickleDict>()));
    facts.batch_norms = std::move(module.batch_norms);
  }
  WeightContents contents = std::move(tensors).take();
  contents.torch = std::move(facts);
  return contents;
}

// The folder that holds data.pkl, with its slash: torch names it after the file.
Result<std::string> archive_folder(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  std::string_view folder;
  for (const ZipEntry& entry : archive.entries()) {
    const std::size_t slash = entry.name.find('/');
    if (slash == std::string_view::npos || entry.name.substr(slash + 1) != kPickle) continue;
    if (!folder.empty()) return fail(Error::Kind::kFormat, "zip archive: data.pkl in more than one folder");
    folder = entry.name.substr(0, slash + 1);
  }
  if (folder.empty()) return fail(Error::Kind::kFormat, "zip archive: no data.pkl, so it is not from PyTorch");
  return std::string(folder);
}

// Bytes of every storage by key, in the order the file states, each with its count in front.
Result<std::unordered_map<std::string_view, Bytes>> legacy_storages(
    ByteCursor& cursor, const PickleList& keys, const std::unordered_map<std::string_view, TorchStorageId>& ids) {
  std::unordered_map<std::string_view, Bytes> storages;
  for (const PickleRef item : keys.items) {
    const auto* key = item->as<PickleText>();
    const auto id = key == nullptr ? ids.end() : ids.find(key->text);
    if (id == ids.end()) return fail(Error::Kind::kFormat, "storages: a key that no tensor has");
    const auto count = cursor.number<std::int64_t>();
    const auto bytes = count && *count == id->second.elements ? cursor.take(id->second.bytes) : std::nullopt;
    if (!bytes) {
      return fail(Error::Kind::kFormat, "storage '{}': {} elements, expected {} and {} bytes, of which {} are left: truncated?",
                  printable(key->text), count.value_or(0), id->second.elements, id->second.bytes, cursor.remaining());
    }
    if (!storages.emplace(key->text, *bytes).second) {
      return fail(Error::Kind::kFormat, "storage '{}': appears twice", printable(key->text));
    }
  }
  if (cursor.remaining() != 0)
    return fail(Error::Kind::kFormat, "{} bytes behind the last storage, expected none", cursor.remaining());
  return storages;
}

Result<std::unordered_map<std::string_view, TorchStorageId>> storage_ids(const Pickle& pickle) {
  std::unordered_map<std::string_view, TorchStorageId> ids;
  for (const PickleValue& value : pickle.values()) {
    const auto* reference = value.as<PicklePersistent>();
    if (reference == nullptr) continue;
    FOVEA_ASSIGN(const TorchStorageId id, parse_storage_id(*reference));
    const auto [known, added] = ids.emplace(id.key, id);
    if (!added && (known->second.elements != id.elements || known->second.dtype != id.dtype)) {
      return fail(Error::Kind::kFormat, "storage '{}': declared in two ways", printable(id.key));
    }
  }
  return ids;
}

// The pickles of a legacy file stand one behind the other.
Result<Pickle> next_pickle(Bytes file, ByteCursor& cursor) {
  FOVEA_ASSIGN(Pickle pickle, Pickle::parse(file.subspan(cursor.position())));
  cursor.take(pickle.size());
  return pickle;
}

// Magic number, version, and the byte order of the machine that wrote it.
Result<void> check_legacy_preamble(Bytes file, ByteCursor& cursor) {
  FOVEA_ASSIGN(const Pickle magic, next_pickle(file, cursor));
  FOVEA_ASSIGN(const Pickle version, next_pickle(file, cursor));
  FOVEA_ASSIGN(const Pickle system, next_pickle(file, cursor));
  const auto* number = version.root().as<std::int64_t>();
  if (number == nullptr || *number != kLegacyProtocol) {
    return fail(Error::Kind::kUnsupported, "torch protocol version: expected {}", kLegacyProtocol);
  }
  const auto* facts = system.root().as<PickleDict>();
  const bool* little = facts == nullptr ? nullptr : find_as<bool>(*facts, "little_endian");
  if (little == nullptr || !*little) return fail(Error::Kind::kUnsupported, "system info: expected little_endian numbers");
  return {};
}

}  // namespace

bool looks_like_zip(Bytes file) { return text_of(file).starts_with("PK\x03\x04"); }

bool looks_like_torch_legacy(Bytes file) {
  constexpr std::size_t kPickleHead = 4;  // protocol opcode and number, long opcode and length
  if (file.size() < kPickleHead + kMagic.size() || file[0] != std::byte{0x80}) return false;
  return std::ranges::equal(file.subspan(kPickleHead, kMagic.size()), std::as_bytes(std::span(kMagic)));
}

Result<WeightContents> read_torch_zip(Bytes file) {
  FOVEA_ASSIGN(const ZipArchive archive, ZipArchive::parse(file));
  FOVEA_ASSIGN(const std::string folder, archive_folder(archive));
  if (archive.contains(folder + "constants.pkl")) {
    return fail(Error::Kind::kUnsupported, "a TorchScript program, expected a checkpoint: save its state_dict() with torch.save");
  }
  if (archive.contains(folder + "byteorder")) {
    FOVEA_ASSIGN(const Bytes order, archive.read(folder + "byteorder"));
    if (text_of(order) != "little")
      return fail(Error::Kind::kUnsupported, "byteorder: {}, expected little", printable(text_of(order)));
  }
  FOVEA_ASSIGN(const Bytes data, archive.read(folder + "data.pkl"));
  FOVEA_ASSIGN(const Pickle pickle, Pickle::parse(data));
  if (pickle.size() != data.size())
    return fail(Error::Kind::kFormat, "data.pkl: {} bytes behind the pickle", data.size() - pickle.size());
  const auto source = [&](std::string_view key) { return archive.read(fmt::format("{}data/{}", folder, key)); };
  return collect(pickle, source, file.size());
}

Result<WeightContents> read_torch_legacy(Bytes file) {
  ByteCursor cursor(file);
  FOVEA_TRY(check_legacy_preamble(file, cursor));
  FOVEA_ASSIGN(const Pickle pickle, next_pickle(file, cursor));
  FOVEA_ASSIGN(const Pickle keys, next_pickle(file, cursor));
  const auto* list = keys.root().as<PickleList>();
  if (list == nullptr) return fail(Error::Kind::kFormat, "storages: {}, expected a list of keys", kind_of(keys.root()));
  FOVEA_ASSIGN(const auto ids, storage_ids(pickle));
  FOVEA_ASSIGN(const auto storages, legacy_storages(cursor, *list, ids));
  const auto source = [&](std::string_view key) -> Result<Bytes> {
    const auto found = storages.find(key);
    if (found != storages.end()) return found->second;
    return fail(Error::Kind::kFormat, "storage '{}': not in the file", printable(key));
  };
  return collect(pickle, source, file.size());
}

}  // namespace fovea
