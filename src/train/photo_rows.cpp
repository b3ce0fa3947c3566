// SPDX-License-Identifier: Apache-2.0
#include "train/photo_rows.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/parallel.h"

namespace fovea::training {
namespace {

constexpr std::size_t kChunk = 256;                           // photos decoded at a time
constexpr std::size_t kMostKeptBytes = std::size_t{1} << 30;  // of pixels

std::vector<std::optional<Fingerprint>> fingerprints_of_fitted(const Context& context, const FittedPhotos& photos) {
  std::vector<std::optional<Fingerprint>> result(photos.count());
  parallel_for(context, static_cast<std::int64_t>(result.size()), [&](std::int64_t n) {
    const auto i = static_cast<std::size_t>(n);
    Image image(photos.width, photos.height);
    std::ranges::copy(photos.photo(i), image.pixels.begin());
    result[i] = fingerprint_of(image);
  });
  return result;
}

}  // namespace

void LabelledTable::append(LabelledTable other) {
  table.append(other.table);
  features.append(other.features);
  labels.insert(labels.end(), other.labels.begin(), other.labels.end());
  index.insert(index.end(), other.index.begin(), other.index.end());
  fingerprints.insert(fingerprints.end(), other.fingerprints.begin(), other.fingerprints.end());
}

Result<void> PhotoRows::run_chunk(Inference& inference, const Chunk& chunk, Reporter& reporter, LabelledTable& out) const {
  FOVEA_TRY(inference.run(chunk.photos, preprocess_, out.table, out.features, [&](std::int64_t photos) {
    reporter.advance(photos);
    return true;
  }));
  for (const std::int32_t position : chunk.photos.index) {
    const std::size_t sample = chunk.first + static_cast<std::size_t>(position);
    out.index.push_back(static_cast<std::int32_t>(sample));
    out.labels.push_back(samples_[sample].labels.front());
  }
  return {};
}

Result<LabelledTable> PhotoRows::run(Inference& inference, Reporter& reporter) {
  LabelledTable out;
  std::size_t done = 0;
  for (const Chunk& chunk : kept_) {
    FOVEA_TRY(run_chunk(inference, chunk, reporter, out));
    done = chunk.first + kChunk;
  }
  std::size_t bytes = 0;
  for (const Chunk& chunk : kept_) bytes += chunk.photos.pixels.size();
  Decoder decoder(shorter_side_needed(preprocess_));
  for (; done < samples_.size(); done += kChunk) {
    const auto part = samples_.subspan(done, std::min(kChunk, samples_.size() - done));
    FOVEA_ASSIGN(FittedPhotos photos, load_all(context_, part, decoder, preprocess_, strict_));
    reporter.skipped(photos.skipped);
    Chunk chunk{done, std::move(photos)};
    FOVEA_TRY(run_chunk(inference, chunk, reporter, out));
    bytes += chunk.photos.pixels.size();
    if (bytes <= kMostKeptBytes) kept_.push_back(std::move(chunk));
  }
  return out;
}

Result<LabelledTable> PhotoRows::run_once(Inference& inference, Reporter& reporter) const {
  std::vector<std::int32_t> positions(samples_.size());
  std::iota(positions.begin(), positions.end(), 0);
  return run_some(inference, positions, reporter);
}

Result<LabelledTable> PhotoRows::run_some(Inference& inference, std::span<const std::int32_t> positions, Reporter& reporter,
                                          PhotoSource* source) const {
  LabelledTable out;
  Decoder decoder(shorter_side_needed(preprocess_));
  for (std::size_t begin = 0; begin < positions.size(); begin += kChunk) {
    const auto part = positions.subspan(begin, std::min(kChunk, positions.size() - begin));
    std::vector<Sample> samples;
    for (const std::int32_t position : part) samples.push_back(samples_[static_cast<std::size_t>(position)]);
    FOVEA_ASSIGN(const FittedPhotos photos,
                 load_all(context_, samples, source != nullptr ? *source : decoder, preprocess_, strict_));
    reporter.skipped(photos.skipped);
    FOVEA_TRY(inference.run(photos, preprocess_, out.table, out.features, [&](std::int64_t count) {
      reporter.advance(count);
      return true;
    }));
    const auto fingerprints = fingerprints_of_fitted(context_, photos);
    out.fingerprints.insert(out.fingerprints.end(), fingerprints.begin(), fingerprints.end());
    for (const std::int32_t row : photos.index) {
      out.index.push_back(part[static_cast<std::size_t>(row)]);
      out.labels.push_back(samples[static_cast<std::size_t>(row)].labels.front());
    }
  }
  return out;
}

}  // namespace fovea::training
