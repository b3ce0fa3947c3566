// Fovea: labelled photos as a person keeps them: class folders, train/val/test folders, or a CSV. Only ever read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "fovea/result.h"
#include "fovea/skipped_photo.h"

namespace fovea {

struct Sample {
  std::filesystem::path path;
  std::vector<int> labels;  ///< indices into Dataset::classes, ascending, each once; usually one
};

enum class Layout : std::uint8_t {
  kClassFolders,  ///< root/CLASS/photo
  kSplitFolders,  ///< root/train/CLASS/photo, root/val/..., root/test/...
  kCsv,           ///< path,label[,split]
};

struct Dataset {
  std::filesystem::path root;  ///< folder or CSV
  Layout layout = Layout::kClassFolders;
  std::vector<std::string> classes;  ///< bytewise ascending; the union over all splits
  std::vector<Sample> train;         ///< ordered by path, bytewise
  std::vector<Sample> val;
  std::vector<Sample> test;
  /// Photos of none of the classes: those of a class called "none" or "background" (in any case), where two other classes are
  /// there. It is no class; its photos tell what is to be rejected. Without labels; ordered as the others. With multi_label
  /// empty: a photo that shows nothing is one without labels.
  struct None {
    std::vector<Sample> train;
    std::vector<Sample> val;
    std::vector<Sample> test;
  } none;
  bool multi_label = false;   ///< photos may have any number of labels: some has not exactly one, or it was asked for
  bool val_held_out = false;  ///< val was taken from train by `hold_out_validation`, not given
  /// What a person should know, a line each: ignored files and why, classes that only one side has, empty class
  /// folders, loops of links, listed photos that are missing.
  std::vector<std::string> notes;
  /// What was given and is not to be had, one by one: listed photos that are not there, folders that cannot be read.
  std::vector<SkippedPhoto> missing;

  [[nodiscard]] int class_count() const { return static_cast<int>(classes.size()); }
};

struct ScanOptions {
  bool follow_symlinks = true;              ///< a loop of links is noted and not entered twice
  bool strict = false;                      ///< an unusable file in the data set is an error, not a note
  bool multi_label = false;                 ///< the same bytes in several class folders are one photo with several labels
  std::vector<std::filesystem::path> more;  ///< further data, laid out in any of these ways; all of their photos are for training
};

/// Finds the photos below a folder or in a CSV, without decoding them. A file counts as a photo by its extension, or, when
/// the extension says nothing, by its first bytes. Hidden files and the litter of operating systems are passed over.
/// Fails with kNotFound or kIo, with kFormat for a CSV (naming the line), and with kUsage when there is no photo
/// with a class, saying what was found and which layouts are understood. kIo also where a folder goes away meanwhile.
Result<Dataset> scan_dataset(const std::filesystem::path& path, const ScanOptions& options = {});

/// The folders that its photos lie in, to notice when one goes away: the root, and those of photos that lie elsewhere (a CSV's,
/// further data's), a hundred of them at most.
[[nodiscard]] std::vector<std::filesystem::path> folders_of(const Dataset& dataset);

struct HoldOutOptions {
  double fraction = 0.2;  ///< of the photos of each class, in (0, 1)
  std::uint64_t seed = 0;
};

/// Moves part of `train` to `val`, if `val` is empty: per class, and by groups of near-duplicates (similar.h), so that a
/// near-duplicate never sits on both sides. Depends on seed and the photos' content only, not on their names. Every
/// class keeps a training photo; a class with fewer than three photos, or with one single group, gives none (noted).
/// Unreadable photos stay in `train`, where loading reports them.
Result<void> hold_out_validation(const Context& context, Dataset& dataset, const HoldOutOptions& options = {});

/// kUsage unless there are at least two classes with a training photo each (or one, when multi_label).
Result<void> check_trainable(const Dataset& dataset);

/// Photos of each class, by index; a photo with several labels counts for each of them.
[[nodiscard]] std::vector<std::int64_t> count_per_class(const std::vector<Sample>& samples, int classes);

/// For each sample the one class that stands for it where there must be one: of several labels the rarest among `samples` (the
/// first of equals); `classes`, a class of its own, for a photo without any. Splits by it spread the rare labels evenly, which is
/// the first step of iterative stratification (K. Sechidis et al., "On the stratification of multi-label data", 2011).
[[nodiscard]] std::vector<std::int32_t> home_classes(std::span<const Sample> samples, int classes);

/// Weights per class whose mean over `samples` is 1: n / (k n_c), for k classes that occur; 0 for a class that does not.
[[nodiscard]] std::vector<float> balanced_class_weights(const std::vector<Sample>& samples, int classes);

}  // namespace fovea
