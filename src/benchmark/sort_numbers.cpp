// SPDX-License-Identifier: Apache-2.0
#include "benchmark/sort_numbers.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/parallel.h"
#include "core/rng.h"
#include "data/workers.h"

namespace fovea::benchmark {
namespace {

/// The 32 bits in three digits, the highest first: after the first one a bucket of 200 million spread numbers and its copy fill
/// most of a second-level cache of a megabyte.
constexpr int kHighBits = 11;
constexpr int kMiddleBits = 11;
constexpr int kLowBits = 10;
static_assert(kHighBits + kMiddleBits + kLowBits == 32);
constexpr std::size_t kBuckets = std::size_t{1} << kHighBits;
constexpr std::size_t bucket_of(std::uint32_t number) { return number >> (kMiddleBits + kLowBits); }

using Counts = std::vector<std::size_t>;  // kBuckets of them

/// Parts of the numbers, one a thread.
std::span<const std::uint32_t> part(std::span<const std::uint32_t> numbers, std::int64_t parts, std::int64_t index) {
  const Range range = part_of(static_cast<std::int64_t>(numbers.size()), parts, index);
  return numbers.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size()));
}

Counts count(std::span<const std::uint32_t> numbers) {
  Counts counts(kBuckets);
  for (const std::uint32_t number : numbers) ++counts[bucket_of(number)];
  return counts;
}

/// Each number to the next place of its bucket. A cache line of each bucket is filled before it is written to memory: so many
/// open places in memory would be too many for the tables of pages.
void deal_out(std::span<const std::uint32_t> numbers, Counts places, std::uint32_t* to) {
  constexpr std::size_t kLine = 16;
  struct alignas(64) Line {
    std::array<std::uint32_t, kLine> numbers;
  };
  std::vector<Line> lines(kBuckets);
  std::array<std::uint8_t, kBuckets> filled{};
  for (const std::uint32_t number : numbers) {
    const std::size_t bucket = bucket_of(number);
    lines[bucket].numbers[filled[bucket]++] = number;
    if (filled[bucket] < kLine) continue;
    std::memcpy(to + places[bucket], &lines[bucket], sizeof(Line));
    places[bucket] += kLine;
    filled[bucket] = 0;
  }
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    std::copy_n(lines[bucket].numbers.data(), filled[bucket], to + places[bucket]);
  }
}

/// Numbers of one bucket, from where they were dealt to (and lost there) to where they belong, ascending: a pass for each of the
/// lower digits, the lowest first (H. Hollerith's machines sorted cards so).
void sort_bucket(std::span<std::uint32_t> from, std::uint32_t* to) {
  constexpr std::size_t kFew = 1024;  // counting digits would take longer
  if (from.size() < kFew) {
    std::ranges::sort(from);
    std::ranges::copy(from, to);
    return;
  }
  constexpr std::uint32_t kLowMask = (1U << kLowBits) - 1;
  constexpr std::uint32_t kMiddleMask = (1U << kMiddleBits) - 1;
  std::array<std::uint32_t, std::size_t{1} << kLowBits> low{};
  std::array<std::uint32_t, std::size_t{1} << kMiddleBits> middle{};
  for (const std::uint32_t number : from) {
    ++low[number & kLowMask];
    ++middle[(number >> kLowBits) & kMiddleMask];
  }
  std::exclusive_scan(low.begin(), low.end(), low.begin(), 0U);
  std::exclusive_scan(middle.begin(), middle.end(), middle.begin(), 0U);
  for (const std::uint32_t number : from) to[low[number & kLowMask]++] = number;
  std::copy_n(to, from.size(), from.begin());
  for (const std::uint32_t number : from) to[middle[(number >> kLowBits) & kMiddleMask]++] = number;
}

}  // namespace

void sort_numbers(const Context& context, std::span<std::uint32_t> numbers, std::span<std::uint32_t> scratch) {
  assert(scratch.size() >= numbers.size());
  const std::int64_t parts = context.threads;
  std::vector<Counts> counts(static_cast<std::size_t>(parts));
  parallel_for(context, parts, [&](std::int64_t i) { counts[static_cast<std::size_t>(i)] = count(part(numbers, parts, i)); });
  Counts begins(kBuckets);  // of the buckets; within each, the parts follow one another
  std::size_t at = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    begins[bucket] = at;
    for (Counts& of_part : counts) at += std::exchange(of_part[bucket], at);
  }
  parallel_for(context, parts,
               [&](std::int64_t i) { deal_out(part(numbers, parts, i), counts[static_cast<std::size_t>(i)], scratch.data()); });
  // Each bucket comes home while it is in the caches.
  for_each_photo(context, kBuckets, [&](std::int64_t i) {
    const auto bucket = static_cast<std::size_t>(i);
    const std::size_t end = bucket + 1 < kBuckets ? begins[bucket + 1] : numbers.size();
    sort_bucket(scratch.subspan(begins[bucket], end - begins[bucket]), numbers.data() + begins[bucket]);
  });
}

Sums sums_of(const Context& context, std::span<const std::uint32_t> numbers) {
  std::vector<Sums> sums(static_cast<std::size_t>(context.threads));
  parallel_for(context, context.threads, [&](std::int64_t i) {
    Sums own;
    for (const std::uint32_t number : part(numbers, context.threads, i)) {
      own.sum += number;
      own.squares += std::uint64_t{number} * number;
      own.exclusive_or ^= number;
    }
    sums[static_cast<std::size_t>(i)] = own;
  });
  Sums all;
  for (const Sums& own : sums) {
    all.sum += own.sum;
    all.squares += own.squares;
    all.exclusive_or ^= own.exclusive_or;
  }
  return all;
}

bool is_ascending(const Context& context, std::span<const std::uint32_t> numbers) {
  std::atomic<bool> ascending = true;
  parallel_for(context, context.threads, [&](std::int64_t i) {
    const Range range = part_of(static_cast<std::int64_t>(numbers.size()), context.threads, i);
    // One more, so that the seams are looked at too.
    const auto end = std::min(range.end + 1, static_cast<std::int64_t>(numbers.size()));
    if (!std::is_sorted(numbers.begin() + range.begin, numbers.begin() + end)) ascending = false;
  });
  return ascending;
}

void fill_random(const Context& context, std::uint64_t seed, std::span<std::uint32_t> numbers) {
  constexpr std::int64_t kBlock = 4;  // numbers of one draw
  const auto count = static_cast<std::int64_t>(numbers.size());
  parallel_ranges(context, (count + kBlock - 1) / kBlock, 1 << 10, [&](Range range) {
    for (std::int64_t block = range.begin; block < range.end; ++block) {
      const auto counter = static_cast<std::uint64_t>(block);
      const auto drawn = philox({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0},
                                {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
      const std::int64_t first = block * kBlock;
      std::copy_n(drawn.begin(), std::min(kBlock, count - first), numbers.begin() + first);
    }
  });
}

}  // namespace fovea::benchmark
