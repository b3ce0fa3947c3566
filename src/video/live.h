// Fovea: pictures of a camera as they come, and the newest of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/result.h"
#include "image/image.h"

namespace fovea::video {

/// Pictures one after another, at their own pace.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// Waits for the next picture, for some seconds at most; none at the end of a recording. After an Error (the camera is gone, or
  /// gave nothing) the next call begins anew.
  virtual Result<std::optional<Image>> next() = 0;
};

/// A camera's device (/dev/video0) or a stream (rtsp://, http://, ...).
std::unique_ptr<Stream> camera_stream(std::string address);
/// A video file or numbered pictures ("frame-%04d.jpg"), as fast as it was taken; over and over with `loop`.
std::unique_ptr<Stream> recording_stream(std::string address, bool loop);
/// A command (run by sh) that prints JPEGs one after another; started again when it ends.
std::unique_ptr<Stream> command_stream(std::string command);
/// Each photo as ten pictures a second for `hold`; over and over with `loop`.
std::unique_ptr<Stream> photo_stream(std::vector<std::filesystem::path> photos, std::chrono::milliseconds hold, bool loop);

/// Reads a stream in a thread of its own, so that only the newest picture is ever looked at, however slow who looks is; and
/// nobody waits for a camera that hangs.
class LatestPicture {
 public:
  explicit LatestPicture(std::unique_ptr<Stream> stream);
  LatestPicture(const LatestPicture&) = delete;
  LatestPicture& operator=(const LatestPicture&) = delete;
  ~LatestPicture();

  struct News {
    std::optional<Image> picture;                  ///< that was not given before
    std::chrono::steady_clock::time_point time{};  ///< when it came
    std::optional<Error> fault;                    ///< since the last picture; the stream is tried again
    bool ended = false;                            ///< no more will come
  };
  /// The next picture or fault, or neither after `wait`.
  News take(std::chrono::milliseconds wait);

 private:
  struct Desk;
  static void read(const std::shared_ptr<Desk>& desk);
  std::shared_ptr<Desk> desk_;  ///< shared with the thread, which may outlive this: one that hangs in a driver cannot be ended
};

}  // namespace fovea::video
