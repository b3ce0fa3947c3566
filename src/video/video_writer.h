// Fovea: pictures to a video file or pipe, by FFmpeg's libraries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fovea/result.h"
#include "fovea/yuv_frame.h"
#include "image/image.h"

namespace fovea::video {

struct WriterOptions {
  int width = 0;
  int height = 0;
  double frames_per_second = 25;  ///< about; each frame has its own time
  std::string container;          ///< "mp4" or "webm"; empty: by the name of the address, else "mp4"
  std::string sound_from;         ///< a file whose sound is copied; empty: none
  YuvMatrix matrix = YuvMatrix::kBt709;
  bool full_range = false;
  int primaries = 1;  ///< as numbered by ITU-T H.273; 1: BT.709; 2: not said
  int transfer = 1;   ///< as numbered there
};

/// H.264 in MP4, VP9 in WebM, 8-bit 4:2:0. An odd last row or column of a picture is left out. A file
/// appears under its name when it is complete.
class VideoWriter {
 public:
  /// `address`: a file, or "-" for standard output (a fragmented MP4, or WebM). kUsage for a container that is not known,
  /// kUnsupported where FFmpeg has no encoder for it, kIo for what cannot be written.
  static Result<VideoWriter> create(const std::string& address, const WriterOptions& options);
  VideoWriter(VideoWriter&& other) noexcept;
  VideoWriter& operator=(VideoWriter&& other) noexcept;
  ~VideoWriter();  ///< without finish(): what was begun is removed

  /// Takes a picture over and gives the planes that will be encoded, to be drawn on until write(). A frame with the video's
  /// colours is copied as it is. kUnsupported for another size than the video's.
  Result<YuvCanvas> stage(const Image& picture);
  Result<YuvCanvas> stage(const YuvFrame& picture);
  /// Encodes what was staged. `seconds` since the first; a time that does not grow is moved behind the last one's.
  Result<void> write(double seconds);
  /// The frames under way, the rest of the sound (until the last picture's end when `all_sound` is false), and the file in its
  /// place.
  Result<void> finish(bool all_sound = true);

  [[nodiscard]] const std::string& codec() const;  ///< "libx264"
  /// Why sound that was asked for, and is there, is not written.
  [[nodiscard]] const std::optional<std::string>& no_sound() const;

 private:
  class Impl;
  explicit VideoWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea::video
