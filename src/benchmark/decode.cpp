// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <utility>

#include "benchmark/settings.h"
#include "core/error.h"
#include "core/file.h"
#include "data/photo_files.h"
#include "data/workers.h"
#include "hardware/rates.h"
#include "image/preprocess.h"

namespace fovea {
namespace {

using namespace benchmark;
namespace fs = std::filesystem;

struct Photo {
  fs::path path;
  std::size_t bytes = 0;
  int shorter_side = 0;
};

/// What a photo costs in this way goes by its format and, roughly, its pixels.
struct Group {
  std::string format;
  std::string size_class;
  std::vector<Photo> photos;
};

struct SizeClass {
  double megapixels;  ///< below
  const char* name;
};
constexpr std::array<SizeClass, 4> kSizeClasses{{{1, "under 1 MP"}, {4, "1 to 4 MP"}, {12, "4 to 12 MP"}, {1e9, "12 MP and up"}}};

std::vector<fs::path> files_of(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> files;
  Notes passed_over;
  for (const fs::path& input : inputs) {
    std::error_code none;
    if (!fs::is_directory(input, none)) {
      files.push_back(input);
      continue;
    }
    const auto found = find_photos(input, true, {}, passed_over);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

/// By format, then size class.
Result<std::vector<Group>> groups_of(const Context& context, const std::vector<fs::path>& files,
                                     std::vector<SkippedPhoto>& skipped) {
  std::map<std::pair<ImageFormat, std::size_t>, Group> groups;
  for (const fs::path& path : files) {
    if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
    const auto bytes = read_file(path, DecodeOptions().max_bytes);
    const auto info = bytes ? read_image_info(*bytes) : Result<ImageInfo>(bytes.error());
    if (!info) {
      skipped.push_back({path, info.error().message});
      continue;
    }
    const double megapixels = 1e-6 * info->width * info->height;
    std::size_t size = 0;
    while (megapixels >= kSizeClasses[size].megapixels) ++size;
    Group& group = groups[{info->format, size}];
    group.format = name_of(info->format);
    group.size_class = kSizeClasses[size].name;
    group.photos.push_back({path, bytes->size(), std::min(info->width, info->height)});
  }
  std::vector<Group> list;
  for (auto& [key, group] : groups) list.push_back(std::move(group));
  return list;
}

/// What one thread has done.
struct Tally {
  double reading = 0, decoding = 0, resizing = 0;  ///< seconds
  std::int64_t done = 0;
  std::int64_t scaled = 0;
  double bytes = 0;
  std::vector<std::pair<std::size_t, std::string>> failures;  ///< photo and reason

  Tally& operator+=(const Tally& other) {
    reading += other.reading;
    decoding += other.decoding;
    resizing += other.resizing;
    done += other.done;
    scaled += other.scaled;
    bytes += other.bytes;
    failures.insert(failures.end(), other.failures.begin(), other.failures.end());
    return *this;
  }
};

/// One photo from file to input, its steps timed.
Result<void> take(const Photo& photo, const Preprocess& preprocess, std::vector<float>& input, Tally& tally) {
  const double begin = hardware::steady_seconds();
  FOVEA_ASSIGN(const auto bytes, read_file(photo.path, DecodeOptions().max_bytes));
  const double read = hardware::steady_seconds();
  FOVEA_ASSIGN(const Image image, decode_image(bytes, {.shorter_side_needed = shorter_side_needed(preprocess)}));
  const double decoded = hardware::steady_seconds();
  normalize(fit_image(image, preprocess).pixels, preprocess, input);
  const double end = hardware::steady_seconds();
  tally.reading += read - begin;
  tally.decoding += decoded - read;
  tally.resizing += end - decoded;
  ++tally.done;
  tally.scaled += std::min(image.width, image.height) < photo.shorter_side ? 1 : 0;
  tally.bytes += static_cast<double>(bytes.size());
  return {};
}

/// Each photo in turn, again and again, until the time is over.
Result<Tally> run_through(const Context& context, const Group& group, const Preprocess& preprocess, double seconds) {
  constexpr std::int64_t kMostRounds = 1 << 20;
  const auto count = static_cast<std::int64_t>(group.photos.size());
  const double end = hardware::steady_seconds() + seconds;
  std::vector<Tally> tallies(static_cast<std::size_t>(context.threads));
  std::vector<std::vector<float>> inputs(tallies.size());
  for (auto& input : inputs) input.resize(static_cast<std::size_t>(preprocess.width * preprocess.height) * 3);
  std::atomic<bool> over = false;
  Context until = context;
  until.stop = &over;
  for_each_photo(until, kMostRounds * count, [&](std::int64_t i, int worker) {
    const auto w = static_cast<std::size_t>(worker);
    const auto number = static_cast<std::size_t>(i % count);
    const auto taken = take(group.photos[number], preprocess, inputs[w], tallies[w]);
    if (!taken && i < count) tallies[w].failures.emplace_back(number, taken.error().message);
    if (hardware::steady_seconds() >= end || context.stop_requested()) over = true;
  });
  if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  Tally all;
  for (const Tally& tally : tallies) all += tally;
  return all;
}

/// Of one photo, why; of several, why for the first of them.
Error none_of(std::size_t photos, std::string_view what, const SkippedPhoto& first) {
  const std::string path = first.path.string() + ": ";
  const std::string reason = (first.reason.starts_with(path) ? "" : path) + first.reason;  // some reasons name the file
  if (photos == 1) return {Error::Kind::kFormat, reason};
  return {Error::Kind::kFormat, fmt::format("none of {} photos can be {}; the first: {}", photos, what, reason)};
}

}  // namespace

Result<DecodeBench> bench_decode(const DecodeBenchOptions& options, const std::function<void(const DecodeRate&)>& on_rate) {
  FOVEA_ASSIGN(const std::vector<int> threads, threads_of(options.settings));
  if (options.size < 1) return fail(Error::Kind::kUsage, "size {}: expected 1 or more", options.size);
  if (options.inputs.empty()) return fail(Error::Kind::kNotFound, "no photo or folder of photos was named");
  const std::vector<fs::path> files = files_of(options.inputs);
  if (files.empty()) return fail(Error::Kind::kNotFound, "{}: no photo there", options.inputs.front().string());
  DecodeBench bench;
  FOVEA_ASSIGN(std::vector<Group> groups, groups_of(context_of(options.settings, 1), files, bench.skipped));
  if (groups.empty()) return none_of(files.size(), "read", bench.skipped[0]);
  Preprocess preprocess;
  preprocess.width = preprocess.height = options.size;
  preprocess.fit = Fit::kCrop;
  for (const Group& group : groups) {
    for (const int count : threads) {
      const double begin = hardware::steady_seconds();
      FOVEA_ASSIGN(const Tally tally,
                   run_through(context_of(options.settings, count), group, preprocess, options.settings.seconds));
      const double seconds = hardware::steady_seconds() - begin;
      if (count == threads.front()) {
        for (const auto& [number, reason] : tally.failures) bench.skipped.push_back({group.photos[number].path, reason});
      }
      if (tally.done == 0) continue;
      const double busy = tally.reading + tally.decoding + tally.resizing;
      bench.rates.push_back({.format = group.format,
                             .size_class = group.size_class,
                             .threads = count,
                             .photos = static_cast<std::int64_t>(group.photos.size()),
                             .photos_per_second = static_cast<double>(tally.done) / seconds,
                             .megabytes_per_second = 1e-6 * tally.bytes / seconds,
                             .reading = tally.reading / busy,
                             .decoding = tally.decoding / busy,
                             .resizing = tally.resizing / busy,
                             .scaled = static_cast<double>(tally.scaled) / static_cast<double>(tally.done)});
      if (on_rate) on_rate(bench.rates.back());
    }
  }
  if (bench.rates.empty()) {
    return none_of(files.size(), "decoded", bench.skipped[0]);
  }
  return bench;
}

}  // namespace fovea
