// SPDX-License-Identifier: Apache-2.0
#include "train/photo_marks.h"

#include <algorithm>
#include <optional>

#include "core/hash.h"
#include "core/parallel.h"

namespace fovea::training {

std::vector<std::uint64_t> marks_of(const Context& context, std::span<const Sample> samples) {
  constexpr std::size_t kRead = 4096;
  std::vector<std::optional<std::uint64_t>> mark_of(samples.size());
  parallel_for(context, static_cast<std::int64_t>(samples.size()), [&](std::int64_t n) {
    const auto i = static_cast<std::size_t>(n);
    const auto file = MappedFile::open(samples[i].path);
    context.tell_folders(samples[i].path, file.ok());
    if (!file) return;
    const Bytes bytes = file->bytes();
    mark_of[i] = hash64(bytes.first(std::min(kRead, bytes.size())), bytes.size());
  });
  std::vector<std::uint64_t> marks;
  for (const auto& mark : mark_of) {
    if (mark) marks.push_back(*mark);
  }
  return marks;
}

}  // namespace fovea::training
