// Fovea: the second half of tagging: answers into files, in batches that the journal knows of before a file is touched.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "archive/change.h"
#include "archive/keywords.h"
#include "core/context.h"
#include "fovea/archive.h"
#include "metadata/container.h"

namespace fovea::archive {

/// A photo that was read and classified.
struct SeenPhoto {
  std::filesystem::path path;
  FileStamp stamp;
  metadata::PhotoMetadata metadata;
  std::optional<Result<Answer>> answer;
};

/// What became of it.
struct Outcome {
  TaggedPhoto photo;
  std::optional<Error> error;
};

class Tagger {
 public:
  /// `catalog` and `folders` must outlive this.
  Tagger(Context context, Catalog& catalog, NamedFolders& folders, const TagOptions& options, Wording wording,
         std::uint64_t settings);

  /// One outcome a photo, in their order. Fails when the catalogue cannot be written: then no file was touched that it does not
  /// know.
  Result<std::vector<Outcome>> write(std::span<const SeenPhoto> photos);

 private:
  struct Plan;
  void plan(const SeenPhoto& seen, Plan& plan);
  void plan_where(const SeenPhoto& seen, const Wanted& wanted, Plan& plan);
  Result<void> plan_file(FileKind kind, const SeenPhoto& seen, const Wanted* wanted, Plan& plan);
  Result<void> record(const SeenPhoto& seen, const Plan& plan);
  Result<std::vector<Outcome>> write_batch(std::span<const SeenPhoto> photos);

  Context context_;
  Catalog& catalog_;
  NamedFolders& folders_;
  WriteTo write_to_;
  bool dry_run_;
  Wording wording_;
  std::uint64_t settings_;
};

}  // namespace fovea::archive
