// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "data/photo_files.h"
#include "watch/source.h"

namespace fovea::watching {
namespace {

namespace fs = std::filesystem;

/// What changes when a file does. Ordered as photos are: by time, then by name.
struct Seen {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  fs::path path;
  std::int64_t bytes = 0;

  [[nodiscard]] auto order() const { return std::tie(seconds, nanoseconds, path); }
  bool operator==(const Seen&) const = default;
};

Result<Seen> look_at(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail(Error::Kind::kIo, "{}: {}", path.string(), errno_text(errno));
  return Seen{status.st_mtim.tv_sec, status.st_mtim.tv_nsec, path, status.st_size};
}

class FolderSource final : public Source {
 public:
  FolderSource(fs::path folder, std::chrono::milliseconds settle, std::optional<std::chrono::seconds> most_age)
      : folder_(std::move(folder)), settle_(settle), most_age_(most_age) {}

  Result<Picture> take(std::chrono::milliseconds limit) override {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    FOVEA_ASSIGN(const std::optional<Seen> found, find());
    if (!found) return nothing_new();
    Seen newest = *found;
    if (most_age_ && age_of(newest) > *most_age_) {
      return fail(Error::Kind::kNotFound, "{}: the newest photo, {}, is {} min old", folder_.string(),
                  newest.path.filename().string(), std::chrono::duration_cast<std::chrono::minutes>(age_of(newest)).count());
    }
    while (is_fresh(newest)) {
      std::this_thread::sleep_for(settle_);
      FOVEA_ASSIGN(Seen again, look_at(newest.path));
      if (newest == again) break;
      newest = std::move(again);
      if (std::chrono::steady_clock::now() >= deadline) {
        return fail(Error::Kind::kIo, "{}: is still being written", newest.path.string());
      }
    }
    // A file that cannot be read or is no photo would be so the next time too.
    given_ = newest;
    return read_file(newest.path, kMostPictureBytes);
  }

 private:
  /// The newest photo; none if it was given before.
  Result<std::optional<Seen>> find() const {
    Notes notes;
    std::error_code error;
    if (!fs::is_directory(folder_, error)) {
      return fail(Error::Kind::kNotFound, "{}: the camera's folder is not there", folder_.string());
    }
    std::optional<Seen> newest;
    for (const fs::path& path : find_photos(folder_, true, {}, notes)) {
      auto seen = look_at(path);
      if (!seen) continue;  // gone meanwhile
      if (!newest || newest->order() < seen->order()) newest = std::move(*seen);
    }
    if (newest && given_ && !(given_->order() < newest->order()) && newest->bytes == given_->bytes) newest.reset();
    return newest;
  }

  [[nodiscard]] static std::chrono::system_clock::duration age_of(const Seen& photo) {
    return std::chrono::system_clock::now() - std::chrono::system_clock::time_point(std::chrono::seconds(photo.seconds));
  }
  /// Written so lately that more may come.
  [[nodiscard]] bool is_fresh(const Seen& photo) const { return age_of(photo) < settle_ + std::chrono::seconds(1); }

  [[nodiscard]] Error nothing_new() const {
    if (!given_) return fail(Error::Kind::kNotFound, "{}: no photo in the camera's folder", folder_.string());
    return fail(Error::Kind::kNotFound, "{}: no photo newer than {}", folder_.string(), given_->path.filename().string());
  }

  fs::path folder_;
  std::chrono::milliseconds settle_;
  std::optional<std::chrono::seconds> most_age_;
  std::optional<Seen> given_;
};

}  // namespace

std::unique_ptr<Source> folder_source(fs::path folder, std::chrono::milliseconds settle,
                                      std::optional<std::chrono::seconds> most_age) {
  return std::make_unique<FolderSource>(std::move(folder), settle, most_age);
}

}  // namespace fovea::watching
