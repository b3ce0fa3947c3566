// Fovea: the frames of a video file, a stream or a camera, by FFmpeg's libraries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "fovea/result.h"
#include "fovea/yuv_frame.h"
#include "image/image.h"

namespace fovea::video {

struct ReaderOptions {
  /// Opening, and then each frame, may take so long; kIo afterwards. Nothing inside can wait for ever.
  std::chrono::milliseconds limit{30000};
  std::int64_t max_pixels = 256'000'000;
  bool fast_colours = false;  ///< chroma repeated, not interpolated: a fifth of the time, off by a few levels at edges of colour
  /// Frames of 8-bit 4:2:0 are given in their own colours, in Frame::planes, without being made RGB; upright as well. Of those
  /// that have to be turned only even sizes, and none whose pixels are not square.
  bool planes = false;
  bool live = false;             ///< each frame as soon as it comes: decoded by one thread, nothing waits to be put in order
  double frames_per_second = 0;  ///< of numbered pictures ("frame-%04d.jpg"); 0: 25
};

struct VideoInfo {
  int width = 0;  ///< upright, of square pixels
  int height = 0;
  int orientation = 1;             ///< that the frames had, Exif 1 to 8
  double frames_per_second = 0.0;  ///< mean; 0: not known
  double seconds = 0.0;            ///< that it says it has; 0: not known, a stream
  std::string codec;               ///< "h264"
  int primaries = 2;               ///< of the colours, as numbered by ITU-T H.273; 2: not said
  int transfer = 2;                ///< from light to numbers, as numbered there; 2: not said
};

struct Frame {
  Image image;           ///< upright RGB of square pixels; empty where there are planes
  double seconds = 0.0;  ///< since the first frame; frames need not be evenly spaced
  std::optional<YuvFrame> planes;
  std::shared_ptr<const void> owner;  ///< of the planes' memory

  [[nodiscard]] int width() const { return planes ? planes->width : image.width; }
  [[nodiscard]] int height() const { return planes ? planes->height : image.height; }
};

class FrameReader {
 public:
  /// `address`: a file, a URL (rtsp://, http://, ...) or a camera's device (/dev/video0). kNotFound, kFormat or kUnsupported for
  /// what is not there or no video, kIo for a network or device that fails.
  static Result<FrameReader> open(const std::string& address, const ReaderOptions& options = {});
  FrameReader(FrameReader&& other) noexcept;
  FrameReader& operator=(FrameReader&& other) noexcept;
  ~FrameReader();

  /// The next frame in order of time; none at the end. A damaged frame is passed over; damage without end is kFormat.
  Result<std::optional<Frame>> next();
  /// Goes on without decoding colours: for those who need only some frames. False at the end.
  Result<bool> skip();

  [[nodiscard]] const VideoInfo& info() const;
  /// Frames so far that could not be decoded whole: passed over, or with parts that the decoder made up.
  [[nodiscard]] std::int64_t damaged() const;

 private:
  class Impl;
  explicit FrameReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea::video
