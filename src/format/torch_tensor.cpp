// SPDX-License-Identifier: Apache-2.0
#include "format/torch_tensor.h"

#include <array>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/shape.h"
#include "format/pickle_lookup.h"

namespace fovea {
namespace {

constexpr std::size_t kRankLimit = 64;

constexpr std::array<std::pair<std::string_view, DType>, 10> kStorageTypes{{{"DoubleStorage", DType::kF64},
                                                                            {"FloatStorage", DType::kF32},
                                                                            {"HalfStorage", DType::kF16},
                                                                            {"BFloat16Storage", DType::kBF16},
                                                                            {"LongStorage", DType::kI64},
                                                                            {"IntStorage", DType::kI32},
                                                                            {"ShortStorage", DType::kI16},
                                                                            {"CharStorage", DType::kI8},
                                                                            {"ByteStorage", DType::kU8},
                                                                            {"BoolStorage", DType::kBool}}};

Error malformed(std::string_view what) { return fail(Error::Kind::kFormat, "{}", what); }

const PickleGlobal* type_of(const PickleObject& object) { return object.type->as<PickleGlobal>(); }
const std::vector<PickleRef>& arguments_of(const PickleObject& object) { return object.arguments->as<PickleTuple>()->items; }

// A parameter is a tensor with a flag around it.
Result<const PickleObject*> unwrap(const PickleValue& value) {
  const PickleValue* at = &value;
  for (int depth = 0; depth < 4; ++depth) {
    if (!is_torch_tensor(*at)) break;
    const auto* object = at->as<PickleObject>();
    if (!type_of(*object)->name.starts_with("_rebuild_parameter")) return object;
    if (arguments_of(*object).empty()) break;
    at = arguments_of(*object).front();
  }
  return malformed("a parameter without a tensor");
}

Result<std::vector<std::int64_t>> integers(const PickleValue& value, std::string_view field) {
  const auto* items = items_of(value);
  if (items == nullptr) return malformed(fmt::format("{}: {}, expected a tuple", field, kind_of(value)));
  if (items->size() > kRankLimit) return malformed(fmt::format("{}: more than {} axes", field, kRankLimit));
  std::vector<std::int64_t> numbers;
  for (const PickleRef item : *items) {
    const auto* number = item->as<std::int64_t>();
    if (number == nullptr || *number < 0) {
      return malformed(
          fmt::format("{}: {}, expected counts from 0", field, number == nullptr ? kind_of(*item) : "a negative number"));
    }
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

// Offset and strides count elements.
struct TorchTensors::Layout {
  std::int64_t offset = 0;
  std::vector<std::int64_t> extents, strides;
  std::int64_t elements = 0;

  [[nodiscard]] bool is_dense() const {
    std::int64_t expected = 1;
    for (std::size_t axis = extents.size(); axis-- > 0;) {
      if (extents[axis] != 1 && strides[axis] != expected) return false;
      expected *= extents[axis];
    }
    return true;
  }
  // The element furthest from the start must be one of the `available`.
  [[nodiscard]] bool fits(std::int64_t available) const {
    if (elements == 0) return true;
    std::int64_t last = offset;
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      std::int64_t reach = 0;
      if (__builtin_mul_overflow(extents[axis] - 1, strides[axis], &reach) || __builtin_add_overflow(last, reach, &last))
        return false;
    }
    return last < available;
  }

  // Arguments of _rebuild_tensor and _rebuild_tensor_v2: storage, offset, size, stride, ...
  static Result<Layout> parse(const std::vector<PickleRef>& arguments) {
    Layout layout;
    const auto* offset = arguments[1]->as<std::int64_t>();
    if (offset == nullptr || *offset < 0) return malformed("offset: expected a count from 0");
    layout.offset = *offset;
    FOVEA_ASSIGN(layout.extents, integers(*arguments[2], "size"));
    FOVEA_ASSIGN(layout.strides, integers(*arguments[3], "stride"));
    if (layout.extents.size() != layout.strides.size()) {
      return malformed(fmt::format("{} extents, but {} strides", layout.extents.size(), layout.strides.size()));
    }
    for (std::size_t axis = 0; axis < layout.extents.size(); ++axis) {
      if (layout.extents[axis] == 1) layout.strides[axis] = 0;  // never followed, so it may hold anything
    }
    const auto elements = checked_elements(layout.extents);
    if (!elements) return malformed(fmt::format("size: {} overflows", to_string(layout.extents)));
    layout.elements = *elements;
    return layout;
  }
};

Result<TorchStorageId> parse_storage_id(const PicklePersistent& value) {
  const auto& fields = value.id->as<PickleTuple>()->items;
  if (fields.size() != 5 && fields.size() != 6)
    return malformed(fmt::format("storage: {} fields, expected 5 or 6", fields.size()));
  const auto* tag = fields[0]->as<PickleText>();
  const auto* type = fields[1]->as<PickleGlobal>();
  const auto* key = fields[2]->as<PickleText>();
  const auto* count = fields[4]->as<std::int64_t>();
  if (tag == nullptr || tag->text != "storage" || type == nullptr || key == nullptr || count == nullptr || *count < 0) {
    return malformed("storage: expected (\"storage\", class, key, place, count)");
  }
  if (fields.size() == 6 && fields[5]->as<PickleNone>() == nullptr) {
    return fail(Error::Kind::kUnsupported, "storage '{}': a view of another one, as only very old files have it",
                printable(key->text));
  }
  for (const auto& [name, dtype] : kStorageTypes) {
    if (type->name != name) continue;
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(*count), size_of(dtype), &bytes)) {
      return malformed(fmt::format("storage '{}': {} elements overflow", printable(key->text), *count));
    }
    return TorchStorageId{dtype, key->text, *count, bytes};
  }
  return fail(Error::Kind::kUnsupported, "storage '{}': elements of {}.{}, which Fovea does not know", printable(key->text),
              printable(type->module), printable(type->name));
}

bool is_torch_tensor(const PickleValue& value) {
  const auto* object = value.as<PickleObject>();
  if (object == nullptr) return false;
  const PickleGlobal* type = type_of(*object);
  return (type->module == "torch._utils" || type->module == "torch._tensor") && type->name.starts_with("_rebuild");
}

Result<Bytes> TorchTensors::storage(const TorchStorageId& id) {
  auto found = storages_.find(id.key);
  if (found == storages_.end()) {
    FOVEA_ASSIGN(const Bytes stored, source_(id.key));
    found = storages_.emplace(id.key, stored).first;
  }
  if (found->second.size() == id.bytes) return found->second;
  return malformed(fmt::format("storage '{}': {} bytes, expected {} for {} of {}", printable(id.key), found->second.size(),
                               id.bytes, id.elements, name_of(id.dtype)));
}

Result<Bytes> TorchTensors::dense(const Layout& layout, std::size_t item, Bytes stored) {
  const std::size_t bytes = static_cast<std::size_t>(layout.elements) * item;
  if (layout.elements == 0) return Bytes();
  if (layout.is_dense()) return stored.subspan(static_cast<std::size_t>(layout.offset) * item, bytes);
  if (bytes > copies_left_) {
    return fail(Error::Kind::kLimit, "{} as {} bytes, more than the file can stand for", to_string(layout.extents), bytes);
  }
  copies_left_ -= bytes;
  std::vector<std::byte>& copy = contents_.rearranged.emplace_back(bytes);
  std::vector<std::int64_t> index(layout.extents.size(), 0);
  std::int64_t from = layout.offset;
  for (std::size_t to = 0; to < bytes; to += item) {
    std::memcpy(copy.data() + to, stored.data() + static_cast<std::size_t>(from) * item, item);
    for (std::size_t axis = index.size(); axis-- > 0;) {  // the next index in row-major order
      from += layout.strides[axis];
      if (++index[axis] < layout.extents[axis]) break;
      from -= layout.strides[axis] * layout.extents[axis];
      index[axis] = 0;
    }
  }
  return Bytes(copy);
}

Result<void> TorchTensors::add(const std::string& name, const PickleValue& value) {
  const auto explain = [&](const Error& error) {
    return Error{error.kind, fmt::format("tensor '{}': {}", printable(name), error.message)};
  };
  if (!names_.insert(name).second) return explain(malformed("appears twice"));
  const auto object = unwrap(value);
  if (!object) return explain(object.error());
  const PickleGlobal& type = *type_of(**object);
  const auto& arguments = arguments_of(**object);
  const bool known = type.module == "torch._utils" && (type.name == "_rebuild_tensor_v2" || type.name == "_rebuild_tensor");
  if (!known) {
    return fail(Error::Kind::kUnsupported, "tensor '{}': of the kind {}, expected a plain dense one", printable(name),
                printable(type.name));
  }
  const auto* reference = arguments.size() < 4 ? nullptr : arguments[0]->as<PicklePersistent>();
  if (reference == nullptr) return explain(malformed("no storage, offset, size and stride"));
  const auto id = parse_storage_id(*reference);
  if (!id) return explain(id.error());
  const auto layout = Layout::parse(arguments);
  if (!layout) return explain(layout.error());
  const auto stored = storage(*id);
  if (!stored) return explain(stored.error());
  if (!layout->fits(id->elements)) {
    return explain(malformed(fmt::format("{} at offset {} reaches beyond its storage of {} elements", to_string(layout->extents),
                                         layout->offset, id->elements)));
  }
  const auto data = dense(*layout, size_of(id->dtype), *stored);
  if (!data) return explain(data.error());
  contents_.tensors.push_back({name, id->dtype, layout->extents, *data});
  return {};
}

}  // namespace fovea
