// SPDX-License-Identifier: Apache-2.0
#include "archive/change.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "archive/replace.h"
#include "core/error.h"
#include "data/text.h"
#include "image/decode.h"
#include "metadata/container.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;
using metadata::as_bytes;
using metadata::as_text;
using metadata::Keywords;
using metadata::Splices;

using Content = std::optional<std::vector<std::byte>>;

// The packet that a file holds; of a sidecar all of it.
std::string packet_of(FileKind kind, Bytes file) {
  if (kind == FileKind::kSidecar) return std::string(as_text(file));
  const metadata::Blocks blocks = metadata::find_blocks(file);
  return std::string(as_text(blocks.xmp));
}

// The file's bytes with another packet: a sidecar is nothing else, a photo takes it in.
Result<Splices> with_packet(FileKind kind, Bytes file, std::string_view old_packet, const Splices& packet_change,
                            const metadata::OlderWords& older) {
  if (kind == FileKind::kSidecar) return packet_change;
  FOVEA_ASSIGN(const auto packet, metadata::spliced(as_bytes(old_packet), packet_change));
  return metadata::embed_xmp(file, as_text(packet), older);
}

// Raw photos are known by their content; some of those made like TIFF show no sign that they are more than that.
bool has_raw_name(const fs::path& photo) {
  constexpr std::array<std::string_view, 22> kNames{".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf",
                                                    ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw",
                                                    ".orf", ".pef", ".raf", ".rw2", ".sr2", ".srw"};
  const std::string name = lower_case(photo.extension().native());
  return std::ranges::find(kNames, name) != kNames.end();
}

Error named(const fs::path& file, Error error) { return {error.kind, fmt::format("{}: {}", file.string(), error.message)}; }

struct Original {
  Content bytes;
  bool changed_since = false;
  bool elsewhere = false;  // the journal knows the bytes, but of another file or of earlier
};

Result<Original> original_of(Journal& journal, const Change& change, const fs::path& file) {
  if (!change.stamp) return Original{};
  const ContentId now = ContentId::of(change.found);
  FOVEA_ASSIGN(auto edit, journal.finished(file));
  const bool elsewhere = !edit || edit->written != now;
  if (elsewhere) {
    FOVEA_ASSIGN(edit, journal.written_as(now));
  }
  if (edit) {
    if (edit->original.size < 0) return Original{{}, false, elsewhere};
    FOVEA_ASSIGN(auto bytes, metadata::spliced(change.found, edit->inverse));
    if (ContentId::of(bytes) == edit->original) return Original{std::move(bytes), false, elsewhere};
    return fail(Error::Kind::kFormat, "the catalogue's way back to its original bytes is damaged; left alone");
  }
  const std::string packet = packet_of(change.kind, change.found);
  const auto content = packet.empty() ? Result<metadata::XmpContent>(metadata::XmpContent{}) : metadata::read_xmp(packet);
  if (!content) return content.error();
  if (!content->marked) return Original{change.found, false};
  FOVEA_ASSIGN(const Splices removal, metadata::remove_tags(packet));
  FOVEA_ASSIGN(const Splices splices,
               with_packet(change.kind, change.found, packet, removal, {{{}, content->own.iptc}, {{}, content->own.xp}}));
  FOVEA_ASSIGN(auto bytes, metadata::spliced(change.found, splices));
  // What is left of a sidecar that Fovea began.
  if (change.kind == FileKind::kSidecar && metadata::as_text(bytes) == metadata::empty_packet()) return Original{{}, true};
  return Original{std::move(bytes), true};
}

// A field that a packet has already is its owner's choice of words; only fields that Fovea begins repeat the photo's.
Result<Keywords> still_carried(std::string_view packet, Keywords carried) {
  if (packet.empty()) return carried;
  FOVEA_ASSIGN(const auto content, metadata::read_xmp(packet));
  if (!content.all.subject.empty()) carried.subject.clear();
  if (!content.all.hierarchical.empty()) carried.hierarchical.clear();
  if (!content.all.tags_list.empty()) carried.tags_list.clear();
  return carried;
}

Result<void> add_to_original(Change& change, const Content& original, const Wanted& wanted) {
  const std::string fresh = metadata::empty_packet();
  const std::string old_packet = original ? packet_of(change.kind, *original) : std::string();
  const std::string& packet = old_packet.empty() ? fresh : old_packet;
  FOVEA_ASSIGN(const Keywords carried, still_carried(old_packet, wanted.carried));
  const bool inside = change.kind == FileKind::kPhoto && original;
  const auto older = inside ? metadata::wanted_in_older(*original, wanted.keywords.subject) : metadata::OlderWords();
  Keywords keywords = wanted.keywords;
  keywords.iptc = older.iptc.add;
  keywords.xp = older.xp.add;
  FOVEA_ASSIGN(const Splices tags, metadata::add_tags(packet, keywords, carried, wanted.record));
  if (!original || original->empty()) {
    FOVEA_ASSIGN(change.content, metadata::spliced(as_bytes(fresh), tags));
    return {};
  }
  FOVEA_ASSIGN(const Splices splices, with_packet(change.kind, *original, packet, tags, older));
  FOVEA_ASSIGN(change.content, metadata::spliced(*original, splices));
  change.edit.inverse = metadata::inverse(*original, splices);
  FOVEA_ASSIGN(const auto back, metadata::spliced(*change.content, change.edit.inverse));
  if (back != *original) return fail(Error::Kind::kFormat, "there would be no way back to its original bytes; left alone");
  return {};
}

// The date of a record alone is no reason to write a file again.
std::string date_of(const Change& change) {
  const std::string packet = change.stamp ? packet_of(change.kind, change.found) : std::string();
  const auto content = packet.empty() ? Result<metadata::XmpContent>(metadata::XmpContent{}) : metadata::read_xmp(packet);
  return content ? content->date : std::string();
}

Result<void> plan_content(Change& change, const Content& original, const Wanted* wanted) {
  if (wanted == nullptr) {
    change.content = original;
    return {};
  }
  if (const std::string date = date_of(change); !date.empty()) {
    Wanted as_before = *wanted;
    as_before.record.date = date;
    FOVEA_TRY(add_to_original(change, original, as_before));
    if (*change.content == change.found) return {};
  }
  return add_to_original(change, original, *wanted);
}

// The pixels of the new bytes are those of the old.
Result<void> same_pixels(Bytes before, Bytes after) {
  const auto old = decode_image(before);
  const auto now = decode_image(after);
  if (!old) return old.error();
  if (!now) return now.error();
  if (old->width == now->width && old->height == now->height && old->pixels == now->pixels) return {};
  return fail(Error::Kind::kFormat, "its pixels would change; left as it is");
}

}  // namespace

Result<std::optional<Change>> plan_change(Journal& journal, FileKind kind, const fs::path& file, const fs::path& photo,
                                          const Wanted* wanted, const std::optional<FileStamp>& expected) {
  Change change;
  change.kind = kind;
  change.edit.file = file;
  change.edit.photo = photo;
  if (stamp_of(file)) {
    FOVEA_ASSIGN(auto read, read_stamped(file));
    change.found = std::move(read.bytes);
    change.stamp = read.stamp;
  }
  if (expected && change.stamp != expected) {
    return fail(Error::Kind::kIo, "{}: changed by another program meanwhile; left alone", file.string());
  }
  auto original = original_of(journal, change, file);
  if (!original) return named(file, original.error());
  change.changed_since = original->changed_since;
  if (const auto planned = plan_content(change, original->bytes, wanted); !planned) return named(file, planned.error());
  const bool same = change.content ? change.stamp && *change.content == change.found : !change.stamp;
  change.adopted = same && change.stamp && wanted != nullptr && original->elsewhere;
  if (same && !change.adopted) return std::optional<Change>();
  change.edit.original = original->bytes ? ContentId::of(*original->bytes) : ContentId{};
  change.edit.written = change.content ? ContentId::of(*change.content) : ContentId{};
  return std::optional(std::move(change));
}

Result<std::optional<FileStamp>> carry_out(const Change& change) {
  if (change.adopted) return change.stamp;
  if (!change.content) {
    FOVEA_TRY(remove_file(change.edit.file, *change.stamp));
    return std::optional<FileStamp>();
  }
  const Verify verify = [&](Bytes written) -> Result<void> {
    if (change.kind == FileKind::kSidecar) return {};
    const auto same = same_pixels(change.found, written);
    return same ? Result<void>() : named(change.edit.file, same.error());
  };
  FOVEA_ASSIGN(const FileStamp stamp, replace_file(change.edit.file, change.stamp, *change.content, verify));
  return std::optional(stamp);
}

fs::path sidecar_of(const fs::path& photo) {
  fs::path own = photo.string() + ".xmp";
  fs::path shared = photo;
  shared.replace_extension(".xmp");
  if (stamp_of(own) || !stamp_of(shared)) return own;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(photo.parent_path(), error)) {
    const fs::path& other = entry.path();
    if (other.stem() == photo.stem() && other != photo && other != shared) return own;
  }
  return error ? own : shared;
}

Result<void> may_embed(const fs::path& photo) {
  struct stat status {};
  if (has_raw_name(photo)) return fail(Error::Kind::kUnsupported, "by its name it is a raw photo");
  if (::lstat(photo.c_str(), &status) != 0) return fail(Error::Kind::kNotFound, "it is not there");
  if (status.st_nlink > 1)
    return fail(Error::Kind::kUnsupported, "it has other names (hard links), which would keep the old photo");
  if ((status.st_mode & 0222U) == 0 || ::access(photo.c_str(), W_OK) != 0)
    return fail(Error::Kind::kUnsupported, "it is read-only");
  return {};
}

}  // namespace fovea::archive
