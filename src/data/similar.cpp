// SPDX-License-Identifier: Apache-2.0
#include "data/similar.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "data/colour.h"
#include "data/workers.h"
#include "image/decode.h"
#include "image/resize.h"

namespace fovea {
namespace {

// The luminance is reduced to kSmall x kSmall, of whose frequencies the kFrequencies x kFrequencies lowest are kept.
constexpr int kSmall = 32;
constexpr int kFrequencies = 8;
constexpr int kMostBits = 8;
// A frequency counts as present from an amplitude of half a level: the rest of a smooth picture, a clear sky, is noise.
constexpr float kLeastAmplitude = 0.5F * kSmall * kSmall / 4;
// In levels of 255: how far the thumbnails' channels may be apart on average, and how much each pixel from that.
constexpr double kMostShift = 32;
constexpr double kMostDifference = 6;

using Luminances = std::array<float, kSmall * kSmall>;
using Spectrum = std::array<float, kFrequencies * kFrequencies>;

// Type-II cosine transform, unscaled.
Spectrum lowest_frequencies(const Luminances& values) {
  std::array<std::array<float, kSmall>, kFrequencies> wave{};
  for (int u = 0; u < kFrequencies; ++u) {
    for (int x = 0; x < kSmall; ++x) {
      wave[static_cast<std::size_t>(u)][static_cast<std::size_t>(x)] =
          std::cos(std::numbers::pi_v<float> * static_cast<float>(u * (2 * x + 1)) / (2 * kSmall));
    }
  }
  Spectrum spectrum{};
  for (std::size_t v = 0; v < kFrequencies; ++v) {
    std::array<float, kSmall> columns{};
    for (std::size_t y = 0; y < kSmall; ++y) {
      for (std::size_t x = 0; x < kSmall; ++x) columns[x] += wave[v][y] * values[y * kSmall + x];
    }
    for (std::size_t u = 0; u < kFrequencies; ++u) {
      spectrum[v * kFrequencies + u] = std::inner_product(columns.begin(), columns.end(), wave[u].begin(), 0.0F);
    }
  }
  return spectrum;
}

std::uint64_t signs_against_median(const Spectrum& spectrum) {
  Spectrum sorted = spectrum;
  const auto middle = sorted.begin() + sorted.size() / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < spectrum.size(); ++i) bits |= std::uint64_t{spectrum[i] > *middle + kLeastAmplitude} << i;
  return bits;
}

bool thumbnails_alike(const Fingerprint& a, const Fingerprint& b) {
  constexpr double kCount = Fingerprint::kSide * Fingerprint::kSide;
  std::array<double, 3> shift{};
  for (std::size_t i = 0; i < a.thumbnail.size(); ++i) shift[i % 3] += a.thumbnail[i] - b.thumbnail[i];
  double difference = 0;
  for (double& channel : shift) channel /= kCount;
  for (std::size_t i = 0; i < a.thumbnail.size(); ++i) difference += std::abs(a.thumbnail[i] - b.thumbnail[i] - shift[i % 3]);
  return difference <= kMostDifference * 3 * kCount &&
         std::ranges::all_of(shift, [](double channel) { return std::abs(channel) <= kMostShift; });
}

// Union-find; the smallest index stands for its set.
class Sets {
 public:
  explicit Sets(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

constexpr int kQuarters = 4;
constexpr std::size_t kBuckets = 1 << 16;
static_assert(kMostBits / kQuarters == 2, "the masks below flip up to two bits of a quarter");

std::size_t quarter_of(std::uint64_t hash, int quarter) { return hash >> (16 * quarter) & 0xFFFF; }

// All 16-bit masks with at most two bits set.
std::vector<std::size_t> small_masks() {
  std::vector<std::size_t> masks{0};
  for (std::size_t i = 0; i < 16; ++i) {
    masks.push_back(std::size_t{1} << i);
    for (std::size_t j = 0; j < i; ++j) masks.push_back(std::size_t{1} << i | std::size_t{1} << j);
  }
  return masks;
}

// Photos by the value of one quarter of their hash: those of bucket b are items[first[b]] to items[first[b + 1]].
struct Buckets {
  struct Item {
    std::uint64_t hash = 0;
    std::size_t photo = 0;
  };
  std::vector<std::size_t> first = std::vector<std::size_t>(kBuckets + 1);
  std::vector<Item> items;
};

Buckets bucket_by(int quarter, std::span<const std::optional<Fingerprint>> photos) {
  Buckets buckets;
  for (const auto& photo : photos) {
    if (photo) ++buckets.first[quarter_of(photo->perceptual, quarter) + 1];
  }
  std::partial_sum(buckets.first.begin(), buckets.first.end(), buckets.first.begin());
  buckets.items.resize(buckets.first.back());
  std::vector<std::size_t> next(buckets.first.begin(), buckets.first.end() - 1);
  for (std::size_t i = 0; i < photos.size(); ++i) {
    if (photos[i]) buckets.items[next[quarter_of(photos[i]->perceptual, quarter)]++] = {photos[i]->perceptual, i};
  }
  return buckets;
}

void join_same_bytes(std::span<const std::optional<Fingerprint>> photos, Sets& sets) {
  std::unordered_map<std::uint64_t, std::size_t> seen;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    if (!photos[i] || photos[i]->content == 0) continue;
    const auto [other, first_time] = seen.emplace(photos[i]->content, i);
    if (!first_time) sets.join(other->second, i);
  }
}

void join_alike(std::span<const std::optional<Fingerprint>> photos, Sets& sets) {
  const std::vector<std::size_t> masks = small_masks();
  for (int quarter = 0; quarter < kQuarters; ++quarter) {
    const Buckets buckets = bucket_by(quarter, photos);
    for (std::size_t i = 0; i < photos.size(); ++i) {
      if (!photos[i]) continue;
      const std::uint64_t hash = photos[i]->perceptual;
      for (const std::size_t mask : masks) {
        const std::size_t bucket = quarter_of(hash, quarter) ^ mask;
        for (std::size_t k = buckets.first[bucket]; k < buckets.first[bucket + 1]; ++k) {
          const auto [other, j] = buckets.items[k];
          if (j >= i) break;  // ascending within a bucket
          if (std::popcount(hash ^ other) > kMostBits || sets.find(i) == sets.find(j)) continue;
          if (thumbnails_alike(*photos[i], *photos[j])) sets.join(i, j);
        }
      }
    }
  }
}

}  // namespace

Fingerprint fingerprint_of(const Image& photo) {
  const Image small = resize(photo, kSmall, kSmall, Filter::kBilinear);
  const Image thumbnail = resize(small, Fingerprint::kSide, Fingerprint::kSide, Filter::kBilinear);
  Luminances luminances{};
  for (std::size_t i = 0; i < luminances.size(); ++i) {
    luminances[i] = luminance(small.pixels[3 * i], small.pixels[3 * i + 1], small.pixels[3 * i + 2]);
  }
  Fingerprint fingerprint;
  fingerprint.perceptual = signs_against_median(lowest_frequencies(luminances));
  std::ranges::copy(thumbnail.pixels, fingerprint.thumbnail.begin());
  return fingerprint;
}

Result<Fingerprint> fingerprint_of(const std::filesystem::path& path) {
  FOVEA_ASSIGN(const MappedFile file, MappedFile::open(path));
  DecodeOptions options;
  options.shorter_side_needed = kSmall;
  const auto photo = decode_image(file.bytes(), options);
  if (!photo) return fail(photo.error().kind, "{}: {}", path.string(), photo.error().message);
  Fingerprint fingerprint = fingerprint_of(*photo);
  fingerprint.content = hash64(file.bytes());
  return fingerprint;
}

Result<std::vector<std::optional<Fingerprint>>> fingerprints_of(const Context& context,
                                                                std::span<const std::filesystem::path> paths) {
  std::vector<std::optional<Fingerprint>> all(paths.size());
  const bool complete = for_each_photo(context, static_cast<std::int64_t>(paths.size()), [&](std::int64_t number) {
    const auto i = static_cast<std::size_t>(number);
    const auto fingerprint = fingerprint_of(paths[i]);
    context.tell_folders(paths[i], fingerprint.ok());
    if (fingerprint) all[i] = *fingerprint;
  });
  if (!complete || context.folders_lost()) return fail(Error::Kind::kCancelled, "stopped while photos were being compared");
  return all;
}

bool nearly_same(const Fingerprint& a, const Fingerprint& b) {
  if (a.content != 0 && a.content == b.content) return true;
  return std::popcount(a.perceptual ^ b.perceptual) <= kMostBits && thumbnails_alike(a, b);
}

std::vector<int> group_near_duplicates(std::span<const std::optional<Fingerprint>> photos) {
  Sets sets(photos.size());
  join_same_bytes(photos, sets);
  join_alike(photos, sets);
  std::vector<int> groups(photos.size());
  int count = 0;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    const std::size_t first = sets.find(i);
    groups[i] = first == i ? count++ : groups[first];
  }
  return groups;
}

}  // namespace fovea
