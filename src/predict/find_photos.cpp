// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <set>

#include "core/error.h"
#include "data/photo_files.h"
#include "fovea/inspect.h"

namespace fovea {

Result<std::vector<std::filesystem::path>> find_photos(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return fail(Error::Kind::kNotFound, "{}: no such file or folder", path.string());
  if (!std::filesystem::is_directory(status)) return std::vector<std::filesystem::path>{path};
  Notes notes;  // what a data set's reader is told; here every photo that fails is named when it is read
  auto photos = find_photos(path, true, Entered(), notes);
  if (photos.empty()) return fail(Error::Kind::kNotFound, "{}: no photo below this folder", path.string());
  return photos;
}

}  // namespace fovea
