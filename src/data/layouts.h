// Fovea: the ways in which people lay out labelled photos, each read into the same list.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/notes.h"
#include "fovea/result.h"

namespace fovea {

enum class Split : std::uint8_t { kTrain, kVal, kTest };
inline constexpr std::array kSplits{Split::kTrain, Split::kVal, Split::kTest};

[[nodiscard]] std::string_view name_of(Split split);
/// "train", "val", "validation", "valid" or "test", in any case.
[[nodiscard]] std::optional<Split> split_from(std::string_view name);

/// A photo as a layout names it, before classes have numbers.
struct NamedSample {
  std::filesystem::path path;
  std::vector<std::string> labels;
  Split split = Split::kTrain;
};

struct FoundPhotos {
  Layout layout = Layout::kClassFolders;
  std::vector<NamedSample> samples;
};

/// Folder per class, or train/val/test of those.
Result<FoundPhotos> read_folders(const std::filesystem::path& root, const ScanOptions& options, Notes& notes);
/// CSV with a header: path, label and, if wanted, split; paths relative to the CSV's folder.
Result<FoundPhotos> read_csv(const std::filesystem::path& file, const ScanOptions& options, Notes& notes);

/// Photos of one split with the same bytes become one, with the labels of all: its path is the first of theirs.
void merge_copies(std::vector<NamedSample>& samples, Notes& notes);

/// The part of an error message that says what would have been understood.
inline constexpr std::string_view kLayoutsUnderstood =
    "expected a folder for each class (DATA/cat/1.jpg), train/ and val/ of such folders, or a CSV with the columns "
    "path,label[,split]";

}  // namespace fovea
