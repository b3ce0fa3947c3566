// SPDX-License-Identifier: Apache-2.0
#include "train/run_folder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "train/checkpoint.h"

namespace fovea::training {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kFiles{"log.txt", "metrics.jsonl", "timing.jsonl"};

/// AtomicFile's temporary files whose names begin so, anything at all if it is empty.
void remove_parts(const fs::path& folder, std::string_view begin) {
  constexpr std::string_view kPart = ".part-";
  constexpr std::size_t kRandom = 6;
  std::vector<fs::path> left;
  std::error_code code;
  fs::directory_iterator entry(folder, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    const std::size_t at = name.rfind(kPart);
    if (at == std::string::npos || at + kPart.size() + kRandom != name.size()) continue;
    if (begin.empty() || name.substr(0, at) == begin) left.push_back(entry->path());
  }
  for (const fs::path& part : left) fs::remove(part, code);
}

/// A checkpoint's folder that another program fills; an empty one, and one whose first file was just begun, is anybody's.
bool holds_other_things(const fs::path& checkpoint) {
  std::error_code code;
  fs::directory_iterator entry(checkpoint, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (!entry->path().filename().native().starts_with(kIdentityFile)) return true;
  }
  return false;
}

}  // namespace

Result<FileLock> lock_run_folder(const fs::path& folder) {
  FileLock lock = FileLock::of_folder(folder);
  if (lock.locked() != Locked::kBusy) return lock;
  return fail(Error::Kind::kUsage, "{}: another training is at work there: wait for it, or choose another name with -o",
              folder.string());
}

Result<FileLock> lock_model(const fs::path& model) {
  FOVEA_ASSIGN(FileLock lock, FileLock::beside(model));
  if (lock.locked() != Locked::kBusy) return lock;
  return fail(Error::Kind::kUsage, "{}: another training is to write this model: wait for it, or choose another name with -o",
              model.string());
}

Result<void> check_run_folder(const fs::path& folder) {
  std::error_code code;
  const auto there = [&](std::string_view name) { return fs::exists(folder / name, code); };
  const fs::path checkpoint = folder / "checkpoint";
  if (std::ranges::all_of(kFiles, there) || fs::exists(checkpoint / kIdentityFile, code)) return {};
  const auto* found = std::ranges::find_if(kFiles, there);
  if (found == kFiles.end() && !holds_other_things(checkpoint)) return {};
  return fail(Error::Kind::kUsage,
              "{}: is there already and not of a training run, which would replace it: give --run a folder of its own",
              (found == kFiles.end() ? checkpoint : folder / *found).string());
}

void remove_unfinished(const fs::path& file) {
  remove_parts(file.has_parent_path() ? file.parent_path() : fs::path("."), file.filename().string());
}

void remove_all_unfinished(const fs::path& folder) { remove_parts(folder, ""); }

Result<fs::path> keep_as_old(const fs::path& file) {
  std::error_code code;
  if (!fs::is_regular_file(file, code)) return fs::path();
  fs::path old = file;
  old.replace_extension(".old" + file.extension().string());
  fs::remove(old, code);
  fs::create_hard_link(fs::canonical(file, code), old, code);
  if (code) fs::copy_file(file, old, fs::copy_options::overwrite_existing, code);  // no links on this file system
  if (code) return fail(Error::Kind::kIo, "{}: cannot be kept as {}: {}", file.string(), old.string(), code.message());
  return old;
}

}  // namespace fovea::training
