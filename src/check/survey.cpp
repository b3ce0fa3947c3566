// SPDX-License-Identifier: Apache-2.0
#include "check/survey.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "data/workers.h"
#include "image/encode.h"

namespace fovea::checking {
namespace {

std::vector<std::byte> thumbnail_of(const Image& fitted) {
  constexpr int kSide = 112;
  constexpr int kQuality = 78;
  const int longer = std::max(fitted.width, fitted.height);
  const auto side = [&](int length) { return std::max(1, length * std::min(kSide, longer) / longer); };
  return encode_jpeg(resize(fitted, side(fitted.width), side(fitted.height), Filter::kBilinear), kQuality);
}

/// A file that begins as a picture and fails by its bytes has lost some; anything else was never one that Fovea reads.
Damage damage_of(bool sniffed, const Error& error) {
  const bool lost = sniffed && error.kind == Error::Kind::kFormat;
  return {lost ? FileProblem::kTruncated : FileProblem::kUnreadable, error.message};
}

/// Fills `photo` but for its damage.
Result<Image> look_at(const std::filesystem::path& path, const Preprocess& preprocess, SurveyedPhoto& photo) {
  const DecodeOptions decoding{.shorter_side_needed = shorter_side_needed(preprocess)};
  FOVEA_ASSIGN(const std::vector<std::byte> bytes, read_file(path, decoding.max_bytes));
  if (const auto format = sniff(bytes)) photo.format = *format;
  if (const auto info = read_image_info(bytes, decoding)) {
    photo.width = info->width;
    photo.height = info->height;
  }
  FOVEA_ASSIGN(Image picture, decode_image(bytes, decoding));
  photo.fingerprint = fingerprint_of(picture);
  photo.fingerprint->content = hash64(bytes);
  return picture;
}

}  // namespace

SurveyingSource::SurveyingSource(const Preprocess& preprocess, bool thumbnails, std::span<SurveyedPhoto> photos)
    : preprocess_(preprocess), thumbnails_(thumbnails) {
  for (SurveyedPhoto& photo : photos) waiting_[photo.sample.path].push_back(&photo);
}

SurveyedPhoto& SurveyingSource::next_of(const std::filesystem::path& path) {
  const std::lock_guard lock(mutex_);
  std::vector<SurveyedPhoto*>& waiting = waiting_.at(path);
  SurveyedPhoto* const next = waiting.back();
  waiting.pop_back();
  return *next;
}

Result<Image> SurveyingSource::load(const std::filesystem::path& path) {
  SurveyedPhoto& photo = next_of(path);
  auto picture = look_at(path, preprocess_, photo);
  if (!picture) {
    photo.damage = damage_of(photo.format.has_value(), picture.error());
  } else if (thumbnails_) {
    photo.thumbnail = thumbnail_of(fit_image(*picture, preprocess_));
  }
  return picture;
}

Result<void> load_each(const Context& context, PhotoSource& source, std::span<const SurveyedPhoto> photos,
                       training::Reporter& reporter) {
  std::atomic<std::int64_t> done = 0;
  std::int64_t told = 0;
  const auto tell = [&] {
    const std::int64_t now = done;
    reporter.advance(now - std::exchange(told, now));
  };
  const bool complete = for_each_photo(context, static_cast<std::int64_t>(photos.size()), [&](std::int64_t i, int worker) {
    // What could not be loaded is known to the source.
    const std::filesystem::path& path = photos[static_cast<std::size_t>(i)].sample.path;
    context.tell_folders(path, source.load(path).ok());
    ++done;
    if (worker == 0) tell();
  });
  if (!complete || context.folders_lost()) return fail(Error::Kind::kCancelled, "stopped on request");
  tell();
  return {};
}

std::vector<SurveyedPhoto> photos_of(const Dataset& data) {
  std::vector<SurveyedPhoto> photos;
  const auto add = [&](const std::vector<Sample>& samples, Split split) {
    for (const Sample& sample : samples) {
      SurveyedPhoto photo;
      photo.sample = sample;
      photo.split = split;
      photos.push_back(std::move(photo));
    }
  };
  add(data.train, Split::kTrain);
  add(data.val, Split::kVal);
  add(data.test, Split::kTest);
  return photos;
}

CheckedPhoto named(const SurveyedPhoto& photo, const std::vector<std::string>& classes) {
  CheckedPhoto result{photo.sample.path, std::string(name_of(photo.split)), {}};
  for (const int label : photo.sample.labels) {
    if (!result.label.empty()) result.label += ';';
    result.label += classes[static_cast<std::size_t>(label)];
  }
  return result;
}

}  // namespace fovea::checking
