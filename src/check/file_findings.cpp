// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "check/findings.h"
#include "data/text.h"

namespace fovea {

std::string_view name_of(FileProblem problem) {
  switch (problem) {
    case FileProblem::kUnreadable: return "unreadable";
    case FileProblem::kTruncated: return "truncated";
    case FileProblem::kMisnamed: return "misnamed";
    case FileProblem::kTiny: return "tiny";
  }
  return "?";
}

}  // namespace fovea

namespace fovea::checking {
namespace {

constexpr int kTinyPart = 4;

/// What a name ending so promises. ".heif" is the container's, whatever the picture in it is coded with.
struct Promise {
  std::string_view extension;
  std::array<ImageFormat, 2> formats;
};
constexpr std::array<Promise, 16> kPromises{{{".jpg", {ImageFormat::kJpeg, ImageFormat::kJpeg}},
                                             {".jpeg", {ImageFormat::kJpeg, ImageFormat::kJpeg}},
                                             {".jpe", {ImageFormat::kJpeg, ImageFormat::kJpeg}},
                                             {".jfif", {ImageFormat::kJpeg, ImageFormat::kJpeg}},
                                             {".png", {ImageFormat::kPng, ImageFormat::kPng}},
                                             {".apng", {ImageFormat::kPng, ImageFormat::kPng}},
                                             {".webp", {ImageFormat::kWebp, ImageFormat::kWebp}},
                                             {".gif", {ImageFormat::kGif, ImageFormat::kGif}},
                                             {".tif", {ImageFormat::kTiff, ImageFormat::kTiff}},
                                             {".tiff", {ImageFormat::kTiff, ImageFormat::kTiff}},
                                             {".bmp", {ImageFormat::kBmp, ImageFormat::kBmp}},
                                             {".dib", {ImageFormat::kBmp, ImageFormat::kBmp}},
                                             {".heic", {ImageFormat::kHeif, ImageFormat::kHeif}},
                                             {".heif", {ImageFormat::kHeif, ImageFormat::kAvif}},
                                             {".hif", {ImageFormat::kHeif, ImageFormat::kAvif}},
                                             {".avif", {ImageFormat::kAvif, ImageFormat::kAvif}}}};

/// A name without an extension promises nothing; one that is no photo's promises no photo.
bool kept(std::string_view extension, ImageFormat format) {
  if (extension.empty()) return true;
  const auto* const promise = std::ranges::find(kPromises, extension, &Promise::extension);
  return promise != kPromises.end() && std::ranges::find(promise->formats, format) != promise->formats.end();
}

}  // namespace

std::vector<FileFinding> find_bad_files(const Surveyed& surveyed, const Preprocess& input) {
  const int tiny = std::min(input.width, input.height) / kTinyPart;
  std::vector<FileFinding> findings;
  for (const SurveyedPhoto& photo : surveyed.photos) {
    const auto add = [&](FileProblem problem, std::string reason) {
      findings.push_back({problem, named(photo, surveyed.classes), std::move(reason)});
    };
    if (photo.damage) {
      add(photo.damage->problem, photo.damage->reason);
      continue;
    }
    const std::string extension = lower_case(photo.sample.path.extension().native());
    if (!kept(extension, *photo.format))
      add(FileProblem::kMisnamed, fmt::format("{} under {}", name_of(*photo.format), extension));
    if (std::min(photo.width, photo.height) < tiny) {
      add(FileProblem::kTiny, fmt::format("{} x {} pixels", photo.width, photo.height));
    }
  }
  std::ranges::stable_sort(findings, {}, &FileFinding::problem);
  return findings;
}

double lost_by_crop(int width, int height, const Preprocess& input) {
  const double scale = std::max(input.width / static_cast<double>(width), input.height / static_cast<double>(height)) /
                       static_cast<double>(input.crop_fraction);
  return 1 - input.width * input.height / (scale * width * scale * height);
}

std::vector<ShapeFinding> find_odd_shapes(const Surveyed& surveyed, const Preprocess& input) {
  constexpr int kLongest = 2;
  std::vector<ShapeFinding> findings;
  for (const SurveyedPhoto& photo : surveyed.photos) {
    if (photo.damage || std::max(photo.width, photo.height) < kLongest * std::min(photo.width, photo.height)) continue;
    findings.push_back(
        {named(photo, surveyed.classes), photo.width, photo.height, lost_by_crop(photo.width, photo.height, input)});
  }
  std::ranges::stable_sort(findings, std::greater(), &ShapeFinding::lost);
  return findings;
}

SizeSummary summarize_sizes(std::span<const SurveyedPhoto> photos, const Preprocess& input) {
  std::vector<int> sides;
  std::vector<double> lost;
  SizeSummary summary;
  for (const SurveyedPhoto& photo : photos) {
    if (photo.damage) continue;
    sides.push_back(std::min(photo.width, photo.height));
    lost.push_back(lost_by_crop(photo.width, photo.height, input));
    if (photo.width < input.width || photo.height < input.height) ++summary.smaller_than_input;
  }
  if (sides.empty()) return summary;
  std::ranges::sort(sides);
  std::ranges::sort(lost);
  summary.smallest = sides.front();
  summary.median = sides[sides.size() / 2];
  summary.largest = sides.back();
  summary.median_lost = lost[lost.size() / 2];
  return summary;
}

}  // namespace fovea::checking
