// Fovea: where pictures come from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/result.h"

namespace fovea::watching {

/// The bytes of a photo file, as Classifier::classify takes them.
using Picture = std::vector<std::byte>;

/// Pictures of a sane camera are far smaller; a program gone wild must not fill the memory.
inline constexpr std::size_t kMostPictureBytes = std::size_t{64} << 20;

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// A picture of now. An Error is a fault of this time alone: the next call tries again from the start.
  virtual Result<Picture> take(std::chrono::milliseconds limit) = 0;
};

/// What `command` (run by sh) prints. Past the limit, it and all that it started are killed.
std::unique_ptr<Source> command_source(std::string command);

/// The newest photo below `folder` (by its time of change, then its name) that was not given before and is not being written
/// any more: one that changed lately must stay the same for `settle`. What lies there at the first call counts as not given.
/// A photo older than `most_age` is of no use: whoever drops photos there has stopped.
std::unique_ptr<Source> folder_source(std::filesystem::path folder, std::chrono::milliseconds settle = std::chrono::seconds(1),
                                      std::optional<std::chrono::seconds> most_age = std::nullopt);

/// The newest frame that a camera's device (/dev/video0) or a stream (rtsp://, http://, ...) gives, as a JPEG.
std::unique_ptr<Source> video_source(std::string address);

/// `source` with a limit that holds whatever it does: it works in a thread of its own, and one that does not come back within
/// `limit` and a tenth is a fault until it does.
std::unique_ptr<Source> limited_source(std::unique_ptr<Source> source);

/// The source that `camera` (as in WatchOptions) names, limited; `most_age` is that of a folder. kUsage or kNotFound for what
/// makes no sense.
Result<std::unique_ptr<Source>> open_source(const std::string& camera,
                                            std::optional<std::chrono::seconds> most_age = std::nullopt);

}  // namespace fovea::watching
