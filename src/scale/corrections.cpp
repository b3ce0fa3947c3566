// SPDX-License-Identifier: Apache-2.0
#include "scale/corrections.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "data/layouts.h"
#include "data/text.h"

namespace fovea::checkout {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestLabel = 80;
constexpr std::size_t kPhotosRemembered = 16;
constexpr std::chrono::minutes kBetweenConfirmed{10};
constexpr std::string_view kConfirmed = "-confirmed.jpg";
constexpr std::string_view kCorrected = "-corrected.jpg";

bool is_confirmed(const fs::path& photo) { return photo.filename().native().ends_with(kConfirmed); }

std::string file_name_of(const ScaleChoice& choice) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(choice.time);
  return fmt::format("{:%Y%m%dT%H%M%S}.{:03}Z-{}{}", fmt::gmtime(static_cast<std::time_t>(seconds.time_since_epoch().count())),
                     (choice.time - seconds).count(), choice.id, choice.corrected ? kCorrected : kConfirmed);
}

}  // namespace

Result<std::string> folder_of(std::string_view label) {
  const std::string_view name = trimmed(label);
  const auto refuse = [&](std::string_view why) {
    return fail(Error::Kind::kUsage, "\"{}\" cannot be the name of a kind: {}", printable(label, 40), why);
  };
  if (name.empty()) return refuse("it is empty");
  if (name.size() > kLongestLabel) return refuse("it is too long");
  if (printable(name, name.size()) != name) return refuse("it has control characters or is not UTF-8");
  if (name.find_first_of("/\\") != std::string_view::npos) return refuse("it has a slash");
  if (name.front() == '.') return refuse("it begins with a dot");
  if (split_from(name)) return refuse("folders of that name part training data");
  return std::string(name);
}

Result<Corrections> Corrections::open(const fs::path& folder, std::int64_t most_bytes) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(Error::Kind::kIo, "{}: cannot make the folder of corrections: {}", folder.string(), error.message());
  Corrections opened(folder, most_bytes);
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    std::error_code gone;
    if (!entries->is_regular_file(gone)) continue;
    const auto bytes = static_cast<std::int64_t>(entries->file_size(gone));
    if (gone) continue;
    opened.bytes_ += bytes;
    if (is_confirmed(entries->path())) opened.confirmed_[entries->path()] = bytes;
  }
  if (error) return fail(Error::Kind::kIo, "{}: cannot read the folder of corrections: {}", folder.string(), error.message());
  return opened;
}

fs::path Corrections::log() const {
  fs::path name = folder_.has_filename() ? folder_ : folder_.parent_path();
  name += ".jsonl";
  return name;
}

bool Corrections::wants_confirmed(const std::string& label, std::chrono::sys_time<std::chrono::milliseconds> time) const {
  const auto last = last_confirmed_.find(label);
  // A clock that was set back must not stop it for ever.
  return last == last_confirmed_.end() || time - last->second >= kBetweenConfirmed || time < last->second;
}

void Corrections::remove(const fs::path& photo) {
  std::error_code error;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(photo, error));
  if (!error && fs::remove(photo, error)) bytes_ -= bytes;
  confirmed_.erase(photo);
}

/// The oldest confirmed photos go; what a customer has corrected never does.
Result<void> Corrections::make_room(std::int64_t bytes) {
  while (bytes_ + bytes > most_bytes_ && !confirmed_.empty()) {
    const auto oldest = std::ranges::min_element(confirmed_, {}, [](const auto& photo) { return photo.first.filename(); });
    remove(fs::path(oldest->first));
  }
  if (bytes_ + bytes <= most_bytes_) return {};
  return fail(Error::Kind::kLimit, "{}: {} MB of corrections, and the ceiling is {} MB; train with them and move them away",
              folder_.string(), bytes_ / 1'000'000, most_bytes_ / 1'000'000);
}

Result<fs::path> Corrections::keep(const ScaleChoice& choice, Bytes jpeg) {
  FOVEA_ASSIGN(const std::string folder, folder_of(choice.label));
  const auto before = std::ranges::find(lately_, choice.id, [](const auto& item) { return item.first; });
  if (before != lately_.end()) {
    remove(before->second);
    lately_.erase(before);
  }
  FOVEA_TRY(make_room(static_cast<std::int64_t>(jpeg.size())));
  std::error_code error;
  fs::create_directories(folder_ / folder, error);
  if (error) return fail(Error::Kind::kIo, "{}: {}", (folder_ / folder).string(), error.message());
  const fs::path photo = folder_ / folder / file_name_of(choice);
  FOVEA_ASSIGN(AtomicFile file, AtomicFile::create(photo));
  FOVEA_TRY(file.write(jpeg));
  FOVEA_TRY(file.commit());
  bytes_ += static_cast<std::int64_t>(jpeg.size());
  if (!choice.corrected) {
    confirmed_[photo] = static_cast<std::int64_t>(jpeg.size());
    last_confirmed_[choice.label] = choice.time;
  }
  lately_.emplace_back(choice.id, photo);
  if (lately_.size() > kPhotosRemembered) lately_.pop_front();
  return photo;
}

Result<void> Corrections::note(const ScaleChoice& choice) const {
  const std::string line = json_line(choice) + "\n";
  const int file = ::open(log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return fail(Error::Kind::kIo, "{}: {}", log().string(), errno_text(errno));
  const ssize_t written = ::write(file, line.data(), line.size());
  const int code = written < 0 ? errno : ENOSPC;
  ::close(file);
  if (written == static_cast<ssize_t>(line.size())) return {};
  return fail(Error::Kind::kIo, "{}: {}", log().string(), errno_text(code));
}

}  // namespace fovea::checkout
