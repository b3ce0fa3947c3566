// SPDX-License-Identifier: Apache-2.0
#include "model/seen_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

namespace fovea {
namespace {

constexpr std::size_t kDigits = 16;

}  // namespace

PhotoMarks sketch_of(std::vector<std::uint64_t> marks) {
  PhotoMarks sketch;
  sketch.photos = static_cast<std::int64_t>(marks.size());
  std::ranges::sort(marks);
  const auto repeated = std::ranges::unique(marks);
  marks.erase(repeated.begin(), repeated.end());
  marks.resize(std::min(marks.size(), PhotoMarks::kMost));
  sketch.marks = std::move(marks);
  return sketch;
}

PhotoMarks merged(const PhotoMarks& some, const PhotoMarks& others) {
  PhotoMarks all;
  std::ranges::set_union(some.marks, others.marks, std::back_inserter(all.marks));
  const auto common = static_cast<std::int64_t>(some.marks.size() + others.marks.size() - all.marks.size());
  all.photos = some.photos + others.photos - common;
  all.marks.resize(std::min(all.marks.size(), PhotoMarks::kMost));
  return all;
}

std::string text_of(const std::vector<std::uint64_t>& marks) {
  std::string text;
  for (const std::uint64_t mark : marks) text += fmt::format("{:016x}", mark);
  return text;
}

std::optional<std::vector<std::uint64_t>> marks_from(std::string_view text) {
  if (text.size() % kDigits != 0 || text.size() > kDigits * PhotoMarks::kMost) return std::nullopt;
  std::vector<std::uint64_t> marks;
  for (; !text.empty(); text.remove_prefix(kDigits)) {
    std::uint64_t mark = 0;
    const char* end = text.data() + kDigits;
    const auto [stopped, error] = std::from_chars(text.data(), end, mark, 16);
    if (error != std::errc() || stopped != end || (!marks.empty() && mark <= marks.back())) return std::nullopt;
    marks.push_back(mark);
  }
  return marks;
}

std::optional<double> share_seen(const PhotoMarks& seen, const std::vector<std::uint64_t>& judged) {
  const bool whole = seen.marks.size() < PhotoMarks::kMost;
  const std::uint64_t last = whole ? std::numeric_limits<std::uint64_t>::max() : seen.marks.back();
  std::int64_t comparable = 0;
  std::int64_t found = 0;
  for (const std::uint64_t mark : judged) {
    if (mark > last) continue;
    ++comparable;
    found += std::ranges::binary_search(seen.marks, mark) ? 1 : 0;
  }
  constexpr std::int64_t kEnough = 20;
  if (!whole && comparable < kEnough) return std::nullopt;
  return comparable == 0 ? 0 : static_cast<double>(found) / static_cast<double>(comparable);
}

}  // namespace fovea
