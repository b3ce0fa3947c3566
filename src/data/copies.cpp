// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <system_error>
#include <tuple>

#include "core/file.h"
#include "core/hash.h"
#include "data/layouts.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

using SizeKey = std::pair<Split, std::uintmax_t>;

// What the bytes of a photo are known by; a photo that cannot be read is like no other.
std::optional<std::uint64_t> content_of(const fs::path& path) {
  const auto file = MappedFile::open(path);
  if (!file) return std::nullopt;
  return hash64(file->bytes());
}

// Positions of samples of one split with the same bytes. Only files of equal size are read.
std::vector<std::vector<std::size_t>> copies_among(const std::vector<NamedSample>& samples) {
  std::map<SizeKey, std::vector<std::size_t>> by_size;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::error_code failed;
    const std::uintmax_t size = fs::file_size(samples[i].path, failed);
    if (!failed) by_size[{samples[i].split, size}].push_back(i);
  }
  std::vector<std::vector<std::size_t>> groups;
  for (const auto& [key, members] : by_size) {
    if (members.size() < 2) continue;
    std::map<std::uint64_t, std::vector<std::size_t>> by_content;
    for (const std::size_t i : members) {
      if (const auto content = content_of(samples[i].path)) by_content[*content].push_back(i);
    }
    for (auto& [content, copies] : by_content) {
      if (copies.size() > 1) groups.push_back(std::move(copies));
    }
  }
  return groups;
}

}  // namespace

void merge_copies(std::vector<NamedSample>& samples, Notes& notes) {
  std::vector<bool> merged(samples.size(), false);
  std::size_t photos = 0;
  for (const auto& copies : copies_among(samples)) {
    const std::size_t kept = *std::ranges::min_element(copies, {}, [&](std::size_t i) { return samples[i].path.native(); });
    std::vector<std::string>& labels = samples[kept].labels;
    for (const std::size_t i : copies) {
      if (i == kept) continue;
      labels.insert(labels.end(), samples[i].labels.begin(), samples[i].labels.end());
      merged[i] = true;
    }
    std::ranges::sort(labels);
    labels.erase(std::ranges::unique(labels).begin(), labels.end());
    photos += labels.size() > 1 ? 1 : 0;
  }
  std::size_t position = 0;
  std::erase_if(samples, [&](const NamedSample&) { return merged[position++]; });
  if (photos > 0) notes.say(fmt::format("photos in several class folders, with all of these labels: {}", photos));
}

}  // namespace fovea
