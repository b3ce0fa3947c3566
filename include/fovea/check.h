// Fovea: what is wrong, or looks wrong, with a data set. Reads photos, never changes one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"
#include "fovea/trainer.h"

namespace fovea {

struct CheckOptions {
  std::filesystem::path data;  ///< any layout that train() takes
  /// A self-contained HTML page of what the network sees, suspicious photos first; empty: none.
  std::filesystem::path contact_sheet;
  bool network = true;  ///< false: labels are not looked at
  std::string arch = "efficientnet_lite0";
  std::filesystem::path weights;     ///< pretrained backbone; empty: the default one from the cache folder
  FitChoice fit = FitChoice::kCrop;  ///< kAuto is kCrop
  std::uint64_t seed = 0;            ///< of the folds that labels are predicted in
  int threads = 0;
  bool deterministic = false;
  std::string device = "auto";
  const std::atomic<bool>* stop = nullptr;
};

struct CheckedPhoto {
  std::filesystem::path path;
  std::string split;  ///< "train", "val", "test"
  std::string label;  ///< several are joined by ';'
};

enum class FileProblem : std::uint8_t {
  kUnreadable,  ///< no picture, or none that Fovea reads
  kTruncated,   ///< begins as a picture, but its data end early or are damaged
  kMisnamed,    ///< the content is not what the extension says; train() reads it by content
  kTiny,        ///< too few pixels to show much
};
[[nodiscard]] std::string_view name_of(FileProblem problem);

struct FileFinding {
  FileProblem problem = FileProblem::kUnreadable;
  CheckedPhoto photo;
  std::string reason;
};

/// Photos that are copies, or nearly copies, of each other. A chain of near-duplicates is one group.
struct DuplicateGroup {
  std::vector<CheckedPhoto> photos;  ///< at least two; ordered by split (train, val, test) and path
  bool exact = false;                ///< all have the same bytes
  bool across_splits = false;        ///< accuracy on one side is then partly memory of the other
  bool across_classes = false;       ///< at least one label is wrong, or the classes overlap
};

/// A label that a last layer, fitted to the other photos, contradicts. With any number of labels a photo: one label too many or
/// too few; a photo with several such has a finding for each.
struct LabelFinding {
  CheckedPhoto photo;
  std::string predicted;           ///< several are joined by ';'; empty: none
  double probability = 0.0;        ///< of `predicted`, or of the one label that it differs in; calibrated
  double label_probability = 0.0;  ///< of the given label
};

struct ShapeFinding {
  CheckedPhoto photo;
  int width = 0;  ///< upright
  int height = 0;
  double lost = 0.0;  ///< share of the photo that --fit crop cuts away
};

struct ClassCount {
  std::string name;
  std::int64_t train = 0;
  std::int64_t val = 0;
  std::int64_t test = 0;
};

struct ClassFinding {
  enum class Problem : std::uint8_t {
    kNotInTraining,    ///< can never be learned
    kNotInValidation,  ///< of data with a val split: its accuracy stays unknown
    kFew,              ///< fewer training photos than a class needs
    kOutnumbered,      ///< many times fewer training photos than the largest class
  };
  Problem problem = Problem::kFew;
  std::string name;
  std::string reason;
};
[[nodiscard]] std::string_view name_of(ClassFinding::Problem problem);

/// Of the photos that could be read.
struct SizeSummary {
  int smallest = 0;  ///< shorter side in pixels
  int median = 0;
  int largest = 0;
  double median_lost = 0.0;             ///< by --fit crop
  std::int64_t smaller_than_input = 0;  ///< shorter side below the network's: they are scaled up
};

struct CheckReport {
  std::int64_t photos = 0;
  std::vector<ClassCount> classes;
  std::vector<FileFinding> files;          ///< unreadable first
  std::vector<DuplicateGroup> duplicates;  ///< across splits first, then across classes, then the largest
  std::vector<LabelFinding> labels;        ///< most suspicious first
  std::vector<ClassFinding> class_findings;
  std::vector<ShapeFinding> shapes;  ///< most cut away first
  SizeSummary sizes;
  bool labels_checked = false;
  /// Why labels were not looked at, or not all of them; what the reader of the data passed over.
  std::vector<std::string> notes;
  double seconds = 0.0;

  /// Unreadable or truncated files, duplicates across splits or classes, classes that cannot be learned: what
  /// no program can decide. Labels that look wrong are an opinion, and do not count.
  [[nodiscard]] bool needs_a_person() const;
};

/// Looks at every photo once. Fails with what the reader of the data finds, kUsage for options that make no sense, kNotFound for
/// weights that were named and are not there (without a name, labels are left out and a note says so), kCancelled
/// on request. `observer` may be null.
Result<CheckReport> check(const CheckOptions& options, TrainObserver* observer = nullptr);

}  // namespace fovea
