// Fovea: any bytes as a photo with metadata, and as an XMP packet: an error, or a change that can be taken back.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "metadata/container.h"

namespace {

using namespace fovea;
using namespace fovea::metadata;

void must_lead_back(Bytes old, const Splices& splices) {
  const auto now = spliced(old, splices);
  if (!now) std::abort();
  const auto back = spliced(*now, inverse(old, splices));
  if (!back || !std::ranges::equal(*back, old)) std::abort();
}

void try_packet(Bytes bytes) {
  const std::string_view packet = as_text(bytes);
  const Keywords wanted{{"cloudy"}, {"Weather|Cloudy"}, {"Weather/Cloudy"}};
  const auto added = add_tags(packet, wanted, {}, {"m", "d", {"cloudy 0.9"}});
  if (!added) return;
  must_lead_back(bytes, *added);
  const auto now = *spliced(bytes, *added);
  const auto content = read_xmp(as_text(now));
  if (!content || !content->marked) std::abort();
  if (std::ranges::find(content->all.subject, "cloudy") == content->all.subject.end()) std::abort();
  const auto removed = remove_tags(as_text(now));
  if (!removed) std::abort();
  must_lead_back(now, *removed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(read_metadata(bytes));
  static_cast<void>(read_exif(bytes));
  static_cast<void>(read_iptc(bytes));
  static_cast<void>(read_iptc(iptc_records(bytes)));
  static_cast<void>(parse_splices(bytes));
  const OlderWords older = wanted_in_older(bytes, {"cloudy", "bew\xC3\xB6lkt"});
  const auto splices = embed_xmp(bytes, empty_packet(), older);
  if (splices) {
    must_lead_back(bytes, *splices);
    const auto now = *spliced(bytes, *splices);
    const OlderWords out{{{}, older.iptc.add}, {{}, older.xp.add}};
    if (const auto removed = embed_xmp(now, empty_packet(), out)) must_lead_back(now, *removed);
  }
  static_cast<void>(with_iptc(bytes, iptc_records(bytes), changed_iptc(iptc_records(bytes), {{"cloudy"}, {"road"}})));
  try_packet(bytes);
  return 0;
}
