// SPDX-License-Identifier: Apache-2.0
//
// HEIC and AVIF (ISO/IEC 23008-12, boxes of ISO/IEC 14496-12). A packet lies in a data box of its own behind the list of items,
// which grows by its entry; whatever lies behind moves, and the list's offsets with it.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/byte_order.h"
#include "metadata/container.h"

namespace fovea::metadata {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::size_t kBoxHead = 8;
constexpr std::string_view kXmpType = "application/rdf+xml\0"sv;

// Fields have up to eight bytes.
std::uint64_t read_wide(Bytes bytes, std::size_t at, std::size_t size) {
  if (size <= 4) return read_uint(bytes, at, size, ByteOrder::kBig);
  return std::uint64_t{read_uint(bytes, at, size - 4, ByteOrder::kBig)} << 32U |
         read_uint(bytes, at + size - 4, 4, ByteOrder::kBig);
}

std::string written(std::uint64_t value, std::size_t size) {
  std::string text;
  for (std::size_t i = size; i-- > 0;) text += static_cast<char>(value >> (8 * i) & 0xFFU);
  return text;
}

bool fits(std::uint64_t value, std::size_t size) { return size >= 8 || value >> (8 * size) == 0; }

struct Box {
  std::string_view type;
  std::size_t begin = 0;
  std::size_t content = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// The boxes that fill [at, end) without a gap; nothing where they do not, or one is longer than 4 GB says its size.
std::optional<std::vector<Box>> boxes_in(Bytes file, std::size_t at, std::size_t end) {
  std::vector<Box> boxes;
  while (at < end) {
    if (end - at < kBoxHead) return std::nullopt;
    std::uint64_t size = read_wide(file, at, 4);
    std::size_t head = kBoxHead;
    if (size == 1) {
      size = read_wide(file, at + kBoxHead, 8);
      head = 2 * kBoxHead;
    } else if (size == 0) {
      size = end - at;  // to the end
    }
    if (size < head || size > end - at) return std::nullopt;
    boxes.push_back({as_text(file.subspan(at + 4, 4)), at, at + head, at + static_cast<std::size_t>(size)});
    at = boxes.back().end;
  }
  return boxes;
}

const Box* find_box(const std::vector<Box>& boxes, std::string_view type) {
  const auto found = std::ranges::find(boxes, type, &Box::type);
  return found == boxes.end() ? nullptr : &*found;
}

std::string box_text(std::string_view type, std::string_view content) {
  return written(kBoxHead + content.size(), 4) + std::string(type) + std::string(content);
}

/// Where an item's data lie.
struct Location {
  std::uint64_t id = 0;
  std::uint64_t method = 0;  ///< 0: in the file, 1: in the list of items, 2: in another item
  std::size_t base_at = 0;   ///< of the field
  std::uint64_t base = 0;
  std::vector<std::size_t> extents;  ///< where each one's offset field is; its length follows
  bool elsewhere = false;            ///< in another file
};

/// The box "iloc".
struct Locations {
  std::size_t version = 0;
  std::size_t offset_size = 0, length_size = 0, base_size = 0, index_size = 0;
  std::size_t count_at = 0;
  std::vector<Location> items;

  [[nodiscard]] std::size_t wide() const { return version < 2 ? 2 : 4; }  ///< bytes of an item's number
};

std::optional<Locations> locations_in(Bytes file, const Box& box) {
  Locations made;
  std::size_t at = box.content;
  const auto take = [&](std::size_t size) {
    const std::uint64_t value = at + size <= box.end ? read_wide(file, at, size) : 0;
    at += size;
    return value;
  };
  made.version = static_cast<std::size_t>(take(1));
  at += 3;
  const std::uint64_t sizes = take(1);
  const std::uint64_t more = take(1);
  made.offset_size = sizes >> 4U;
  made.length_size = sizes & 15U;
  made.base_size = more >> 4U;
  made.index_size = made.version == 0 ? 0 : more & 15U;
  for (const std::size_t size : {made.offset_size, made.length_size, made.base_size, made.index_size}) {
    if (size != 0 && size != 4 && size != 8) return std::nullopt;
  }
  made.count_at = at;
  const std::uint64_t count = take(made.wide());
  if (made.version > 2 || count > box.size()) return std::nullopt;
  for (std::uint64_t i = 0; i < count && at <= box.end; ++i) {
    Location item;
    item.id = take(made.wide());
    item.method = made.version == 0 ? 0 : take(2) & 15U;
    item.elsewhere = take(2) != 0;
    item.base_at = at;
    item.base = take(made.base_size);
    const std::uint64_t extents = take(2);
    for (std::uint64_t k = 0; k < extents && at <= box.end; ++k) {
      at += made.index_size;
      item.extents.push_back(at);
      at += made.offset_size + made.length_size;
    }
    made.items.push_back(std::move(item));
  }
  if (at != box.end) return std::nullopt;
  return made;
}

/// The box "iinf".
struct Items {
  std::size_t count_at = 0;
  std::size_t count_size = 0;
  std::uint64_t count = 0;
  std::uint64_t highest = 0;
  std::optional<std::uint64_t> xmp;
};

std::optional<Items> items_in(Bytes file, const Box& box) {
  Items made;
  made.count_at = box.content + 4;
  made.count_size = read_wide(file, box.content, 1) == 0 ? 2 : 4;
  if (box.end < made.count_at + made.count_size) return std::nullopt;
  made.count = read_wide(file, made.count_at, made.count_size);
  const auto entries = boxes_in(file, made.count_at + made.count_size, box.end);
  if (!entries || entries->size() != made.count) return std::nullopt;
  for (const Box& entry : *entries) {
    const std::uint64_t version = read_wide(file, entry.content, 1);
    const std::size_t wide = version == 3 ? 4 : 2;
    if (entry.type != "infe" || version < 2 || version > 3 || entry.size() < kBoxHead + 4 + wide + 6) return std::nullopt;
    const std::uint64_t id = read_wide(file, entry.content + 4, wide);
    made.highest = std::max(made.highest, id);
    const std::string_view rest = as_text(file.subspan(entry.content + 4 + wide + 2, entry.end - (entry.content + 4 + wide + 2)));
    const std::size_t name_end = rest.find('\0', 4);
    if (rest.starts_with("mime") && name_end != rest.npos && rest.substr(name_end + 1).starts_with(kXmpType)) {
      if (made.xmp) return std::nullopt;
      made.xmp = id;
    }
  }
  return made;
}

Error unsupported(std::string_view what) {
  return fail(Error::Kind::kUnsupported, "HEIC: {}; its keywords go into a sidecar", what);
}

/// The file's boxes, as far as they matter; with the reason where a packet cannot be put among them exactly.
struct Layout {
  std::vector<Box> top;
  std::vector<Box> inside;  ///< of `meta`
  Box meta, iinf, iloc;
  const Box* iref = nullptr;
  Items items;
  Locations locations;
  std::uint64_t primary = 0;
};

Result<Layout> layout_of(Bytes file) {
  // What is not known may count its offsets from the file's beginning.
  constexpr std::array kKnown{"ftyp"sv, "meta"sv, "mdat"sv, "free"sv, "skip"sv, "wide"sv, "mpvd"sv, "sefd"sv};
  Layout made;
  auto top = boxes_in(file, 0, file.size());
  if (!top) return unsupported("something else follows its boxes");
  made.top = std::move(*top);
  for (const Box& box : made.top) {
    if (std::ranges::find(kKnown, box.type) == kKnown.end()) return unsupported(fmt::format("a box '{}'", printable(box.type)));
  }
  if (std::ranges::count(made.top, "meta"sv, &Box::type) != 1) return unsupported("more than one list of items, or none");
  made.meta = *find_box(made.top, "meta");
  if (made.meta.content != made.meta.begin + kBoxHead || read_wide(file, made.meta.begin, 4) == 0)
    return unsupported("a list of items of an odd size");
  auto inside = boxes_in(file, made.meta.content + 4, made.meta.end);
  if (!inside) return unsupported("a damaged list of items");
  made.inside = std::move(*inside);
  const Box* const iinf = find_box(made.inside, "iinf");
  const Box* const iloc = find_box(made.inside, "iloc");
  const Box* const pitm = find_box(made.inside, "pitm");
  made.iref = find_box(made.inside, "iref");
  if (iinf == nullptr || iloc == nullptr || pitm == nullptr) return unsupported("a list without items");
  made.iinf = *iinf;
  made.iloc = *iloc;
  auto items = items_in(file, *iinf);
  auto locations = locations_in(file, *iloc);
  if (!items || !locations) return unsupported("a list of items in a form that is not known");
  made.items = *items;
  made.locations = std::move(*locations);
  made.primary = read_wide(file, pitm->content + 4, read_wide(file, pitm->content, 1) == 0 ? 2 : 4);
  return made;
}

class HeifEditor {
 public:
  HeifEditor(Bytes file, const Layout& layout) : file_(file), layout_(layout) {}

  Result<Splices> put(std::string_view packet) {
    const std::string data = box_text("mdat", packet);
    std::size_t grown = data.size();
    if (layout_.items.xmp) {
      FOVEA_TRY(point_to(*layout_.items.xmp, layout_.meta.end + kBoxHead, packet.size()));
    } else {
      FOVEA_ASSIGN(const std::size_t in_list, add_item(packet.size()));
      grown += in_list;
    }
    insert(layout_.meta.end, data);
    FOVEA_TRY(move_others(grown));
    std::ranges::stable_sort(splices_, {}, &Splice::offset);
    return std::move(splices_);
  }

 private:
  void insert(std::size_t at, std::string_view text) { splices_.push_back({at, 0, copy_of(as_bytes(text))}); }
  Result<void> set(std::size_t at, std::size_t size, std::uint64_t value) {
    if (!fits(value, size)) return unsupported("numbers too small for a longer file");
    splices_.push_back({at, size, copy_of(as_bytes(written(value, size)))});
    return {};
  }
  Result<void> grow(const Box& box, std::size_t by) { return set(box.begin, 4, box.size() + by); }

  /// An item's only extent now lies there.
  Result<void> point_to(std::uint64_t id, std::size_t where, std::size_t length) {
    const Locations& all = layout_.locations;
    const auto item = std::ranges::find(all.items, id, &Location::id);
    if (item == all.items.end() || item->method != 0 || item->elsewhere || item->extents.size() != 1 || all.offset_size == 0) {
      return unsupported("XMP that lies in the list of items, or in pieces");
    }
    replaced_ = id;
    if (all.base_size > 0) FOVEA_TRY(set(item->base_at, all.base_size, 0));
    FOVEA_TRY(set(item->extents[0], all.offset_size, where));
    return set(item->extents[0] + all.offset_size, all.length_size, length);
  }

  /// A new item that describes the picture; by how much the list grows.
  Result<std::size_t> add_item(std::size_t length) {
    const Locations& all = layout_.locations;
    const bool old_references = layout_.iref == nullptr || read_wide(file_, layout_.iref->content, 1) == 0;
    const std::size_t reference_size = old_references ? 2 : 4;
    const std::uint64_t id = layout_.items.highest + 1;
    if (!fits(id, 2) || !fits(layout_.primary, reference_size) || all.offset_size == 0 || !fits(length, all.length_size)) {
      return unsupported("numbers too small for one item more");
    }
    const std::string entry =
        box_text("infe", "\2\0\0\0"s + written(id, 2) + written(0, 2) + "mime" + '\0' + std::string(kXmpType));
    const std::string reference =
        box_text("cdsc", written(id, reference_size) + written(1, 2) + written(layout_.primary, reference_size));
    const std::string references = layout_.iref != nullptr ? reference : box_text("iref", "\0\0\0\0"s + reference);
    std::string location = written(id, all.wide());
    if (all.version > 0) location += written(0, 2);
    location += written(0, 2) + written(0, all.base_size) + written(1, 2) + written(0, all.index_size);
    const std::size_t in_list = entry.size() + references.size() + location.size() + all.offset_size + all.length_size;
    location += written(layout_.meta.end + in_list + kBoxHead, all.offset_size) + written(length, all.length_size);
    insert(layout_.iinf.end, entry);
    insert(layout_.iloc.end, location);
    insert(layout_.iref != nullptr ? layout_.iref->end : layout_.meta.end, references);
    FOVEA_TRY(set(layout_.items.count_at, layout_.items.count_size, layout_.items.count + 1));
    FOVEA_TRY(set(all.count_at, all.wide(), all.items.size() + 1));
    FOVEA_TRY(grow(layout_.iinf, entry.size()));
    FOVEA_TRY(grow(layout_.iloc, location.size()));
    if (layout_.iref != nullptr) FOVEA_TRY(grow(*layout_.iref, reference.size()));
    FOVEA_TRY(grow(layout_.meta, in_list));
    return in_list;
  }

  /// Data behind the list lie further back now.
  Result<void> move_others(std::size_t grown) {
    const Locations& all = layout_.locations;
    for (const Location& item : layout_.locations.items) {
      if (item.method != 0 || item.elsewhere || item.extents.empty() || item.id == replaced_) continue;
      std::size_t behind = 0;
      for (const std::size_t extent : item.extents) {
        const std::uint64_t at = item.base + read_wide(file_, extent, all.offset_size);
        if (at >= layout_.meta.begin && at < layout_.meta.end) return unsupported("data inside the list of items");
        behind += at >= layout_.meta.end ? 1 : 0;
      }
      if (behind == 0) continue;
      if (all.base_size > 0) {
        if (behind != item.extents.size()) return unsupported("an item in front of its list and behind it");
        FOVEA_TRY(set(item.base_at, all.base_size, item.base + grown));
        continue;
      }
      for (const std::size_t extent : item.extents) {
        const std::uint64_t at = read_wide(file_, extent, all.offset_size);
        if (at >= layout_.meta.end) FOVEA_TRY(set(extent, all.offset_size, at + grown));
      }
    }
    return {};
  }

  Bytes file_;
  const Layout& layout_;
  Splices splices_;
  std::optional<std::uint64_t> replaced_;
};

}  // namespace

Result<Splices> embed_in_heif(Bytes file, std::string_view packet) {
  FOVEA_ASSIGN(const Layout layout, layout_of(file));
  return HeifEditor(file, layout).put(packet);
}

}  // namespace fovea::metadata
