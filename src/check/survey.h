// Fovea: every photo of a data set looked at once: file, size and fingerprint from the decoding that its features come from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "data/dataset.h"
#include "data/layouts.h"
#include "data/similar.h"
#include "data/source.h"
#include "fovea/check.h"
#include "image/decode.h"
#include "train/reporter.h"

namespace fovea::checking {

/// Why a photo cannot be used.
struct Damage {
  FileProblem problem = FileProblem::kUnreadable;
  std::string reason;
};

struct SurveyedPhoto {
  Sample sample;
  Split split = Split::kTrain;
  std::optional<ImageFormat> format;  ///< by content
  int width = 0;                      ///< upright; 0 if the header cannot be read
  int height = 0;
  std::optional<Damage> damage;            ///< else the photo could be decoded, and has a fingerprint
  std::optional<Fingerprint> fingerprint;  ///< with the content's hash
  std::vector<std::byte> thumbnail;        ///< JPEG of what the network sees, where asked for
};

/// The photos of all splits: train, val, test.
[[nodiscard]] std::vector<SurveyedPhoto> photos_of(const Dataset& data);

/// Gives whole photos, and notes of each what a survey is after: so looking for faults decodes nothing twice.
class SurveyingSource final : public PhotoSource {
 public:
  /// `photos` must outlive this, and be loaded as often as they are listed.
  SurveyingSource(const Preprocess& preprocess, bool thumbnails, std::span<SurveyedPhoto> photos);
  Result<Image> load(const std::filesystem::path& path) override;

 private:
  SurveyedPhoto& next_of(const std::filesystem::path& path);

  Preprocess preprocess_;
  bool thumbnails_;
  std::mutex mutex_;
  std::map<std::filesystem::path, std::vector<SurveyedPhoto*>> waiting_;  // a CSV may list a photo twice
};

/// Loads every photo once, for the survey alone.
Result<void> load_each(const Context& context, PhotoSource& source, std::span<const SurveyedPhoto> photos,
                       training::Reporter& reporter);

/// For findings.
[[nodiscard]] CheckedPhoto named(const SurveyedPhoto& photo, const std::vector<std::string>& classes);

}  // namespace fovea::checking
